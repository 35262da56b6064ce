import { ClickHouseError } from '@clickhouse/client';
import { expect, test } from 'vitest';
import type { ClickHouse } from '../clickhouse.ts';
import { createLaneFacts } from './facts.ts';

/** An engine that counts how often the roll-up was read into it, with a clock of its own. */
function stage() {
  const engine = { storedMs: 1_000, fills: 0, fillFault: null as Error | null };
  const clock = { ms: 100_000 };
  const registry = { version: 1 };
  const faults: unknown[] = [];
  const store = {
    database: 'd',
    rows: () => Promise.resolve([{ events: engine.storedMs, last: engine.storedMs }]),
    fill() {
      engine.fills++;
      return engine.fillFault === null ? Promise.resolve(3) : Promise.reject(engine.fillFault);
    },
  } as unknown as ClickHouse;
  const facts = createLaneFacts({
    store,
    version: () => Promise.resolve(registry.version),
    now: () => clock.ms,
    isShared: true,
    onFault: (error) => faults.push(error),
  });
  const ask = () => facts.use('7d', (used) => Promise.resolve(used));
  return { engine, clock, registry, faults, facts, ask };
}

test('whoever asks at once or within a moment shares one reading of the roll-up', async () => {
  const { engine, clock, ask } = stage();
  const [one, other] = await Promise.all([ask(), ask()]);
  clock.ms += 400;
  expect([other, await ask()]).toEqual([one, one]);
  expect(engine.fills).toBe(1);
});

test('after that moment what was stored meanwhile is there, and where nothing was the reading stays', async () => {
  const { engine, clock, ask } = stage();
  const first = await ask();
  clock.ms += 5_000;
  expect(await ask()).toBe(first);
  engine.storedMs += 7;
  clock.ms += 5_000;
  expect((await ask()).lastStoredMs).toBe(1_007);
  expect(engine.fills).toBe(2);
});

test('who is live and which key has expired is judged anew though nothing is stored', async () => {
  const { clock, ask } = stage();
  const first = await ask();
  clock.ms += 10_000;
  expect((await ask()).nowMs).toBe(first.nowMs + 10_000);
});

test('who was told of an event gets facts that have it, however young those before are', async () => {
  const { engine, facts, ask } = stage();
  await ask();
  engine.storedMs += 7;
  facts.told(1_007);
  expect((await ask()).lastStoredMs).toBe(1_007);
});

test.each<[string, (at: ReturnType<typeof stage>) => void]>([
  ['the registry has another version', ({ registry }) => void registry.version++],
  ['something that they show was changed', ({ facts }) => facts.forget()],
])('nothing read before is handed out once %s', async (_what, change) => {
  const at = stage();
  const [first, during] = [await at.ask(), at.ask()];
  change(at);
  expect((await at.ask()).key).not.toBe(first.key);
  await during;
  expect((await at.ask()).key).not.toBe(first.key);
});

test('where the engine lost the facts the work is done again from the roll-up', async () => {
  const { facts, ask } = stage();
  const kept = await ask();
  const lost = new ClickHouseError({ message: 'thrown', code: '395', type: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO' });
  const used = await facts.use('7d', (one) => (one.key === kept.key ? Promise.reject(lost) : Promise.resolve(one)));
  expect(used.from).toContain('d.ledger');
  expect((await ask()).key).not.toBe(kept.key);
});

test('where the engine does not keep them each statement reads the roll-up, and it is told', async () => {
  const { engine, faults, ask } = stage();
  engine.fillFault = new Error('not allowed to write');
  expect((await ask()).from).toContain('d.ledger');
  expect(faults).toEqual([engine.fillFault]);
});
