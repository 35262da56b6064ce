import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Change } from '../../contract/index.ts';
import { createChangeFeed } from './changes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TICK_MS = 500;

/** A feed over two stores that can be away, somebody who listens, and what the process would log. */
function stage() {
  const away = new Set<keyof Change>();
  const state: Change = { last_stored_at: '2026-11-21T00:00:00.000Z', registry_version: 1 };
  const heard: Change[] = [];
  const logged: string[] = [];
  const read = <Name extends keyof Change>(name: Name) =>
    away.has(name) ? Promise.reject(new Error('away')) : Promise.resolve(state[name]);
  const feed = createChangeFeed(
    { last_stored_at: () => read('last_stored_at'), registry_version: () => read('registry_version') },
    { onFault: (name) => logged.push(`- ${name}`), onRecovery: (name) => logged.push(`+ ${name}`) },
  );
  const listen = () => feed.listen((change) => heard.push(change));
  const ticks = (count: number) => vi.advanceTimersByTimeAsync(count * TICK_MS);
  return { away, state, heard, logged, feed, listen, ticks };
}

test('both stores are told of in one event, and nothing while nothing moves', async () => {
  const { state, heard, listen, ticks } = stage();
  listen();
  await ticks(10);
  expect(heard).toEqual([state]);
});

test.each([
  ['last_stored_at', { registry_version: 2 }],
  ['registry_version', { last_stored_at: '2026-11-21T00:00:01.000Z' }],
] as const)(
  'while %s can’t be read the other store’s changes are told, and the log says so once',
  async (name, move) => {
    const { away, state, heard, logged, listen, ticks } = stage();
    listen();
    await ticks(1);
    away.add(name);
    await ticks(10);
    const before = { ...state };
    Object.assign(state, move);
    await ticks(10);
    expect(heard).toEqual([before, { ...before, ...move }]);
    expect(logged).toEqual([`- ${name}`]);
    away.clear();
    await ticks(10);
    expect(heard).toHaveLength(2);
    expect(logged).toEqual([`- ${name}`, `+ ${name}`]);
  },
);

test('a ledger that never answered is told as unknown', async () => {
  const { away, heard, listen, ticks } = stage();
  away.add('last_stored_at');
  listen();
  await ticks(1);
  expect(heard).toEqual([{ last_stored_at: null, registry_version: 1 }]);
});

test('nothing is told while neither can be read', async () => {
  const { away, heard, listen, ticks } = stage();
  away.add('last_stored_at').add('registry_version');
  listen();
  await ticks(3);
  expect(heard).toEqual([]);
});
