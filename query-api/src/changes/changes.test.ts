import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Change } from '../../contract/index.ts';
import { createChangeFeed } from './changes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TICK_MS = 500;

/** A feed over two stores that can be away, somebody who listens, and what the process would log. */
function stage() {
  const away = new Set<keyof Change>();
  const state: Change = {
    ...{ last_stored_at: '2026-11-21T00:00:00.000Z', findings_version: 'a', registry_version: 1, triage_version: 1 },
    ledger_answers: true,
  };
  const heard: Change[] = [];
  const logged: string[] = [];
  const read = <Name extends keyof Change>(name: Name) =>
    away.has(name) ? Promise.reject(new Error('away')) : Promise.resolve(state[name]);
  const feed = createChangeFeed(
    {
      last_stored_at: () => read('last_stored_at'),
      findings_version: () => read('findings_version'),
      registry_version: () => read('registry_version'),
      triage_version: () => read('triage_version'),
    },
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

test('findings are told of, which come a moment after their rows', async () => {
  const { state, heard, listen, ticks } = stage();
  listen();
  await ticks(1);
  state.findings_version = 'b';
  await ticks(1);
  expect(heard.map((change) => change.findings_version)).toEqual(['a', 'b']);
});

test('a ledger that stops answering is told once, and once that it answers again', async () => {
  const { away, state, heard, listen, ticks } = stage();
  listen();
  await ticks(1);
  away.add('last_stored_at');
  await ticks(5);
  away.clear();
  await ticks(5);
  expect(heard).toEqual([true, false, true].map((ledger_answers) => ({ ...state, ledger_answers })));
});

test.each([
  ['findings_version', { registry_version: 2 }],
  ['registry_version', { last_stored_at: '2026-11-21T00:00:01.000Z' }],
] as const)('while %s can’t be read other changes are told, and the log says so once', async (name, move) => {
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
});

test('a ledger that never answered is told as unknown', async () => {
  const { away, heard, listen, ticks } = stage();
  away.add('last_stored_at');
  listen();
  await ticks(1);
  expect(heard).toMatchObject([{ last_stored_at: null, registry_version: 1, ledger_answers: false }]);
});

test('nothing is told while nothing can be read', async () => {
  const { away, heard, listen, ticks } = stage();
  away.add('last_stored_at').add('findings_version').add('registry_version').add('triage_version');
  listen();
  await ticks(3);
  expect(heard).toEqual([]);
});
