import { expect, test } from 'vitest';
import type { BacktestRequest, BacktestResult } from '../../contract/index.ts';
import { createBacktests, type BacktestProgress } from './backtests.ts';
import type { BacktestNews } from './worker.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const at = (ms: number) => new Date(ms).toISOString();
const request = (id: string, fields: Partial<BacktestRequest> = {}): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      ...{ id, requested_at: at(NOW), cancelled: false, present: null, from: at(NOW - 1), to: at(NOW) },
      settings: {
        ...{ rule: 'R07', version: 1, effective_from: at(NOW), enabled: true, mode: 'notify', severity: '' },
        ...{ parameters: {}, orgs: [], projects: [], environments: [] },
      },
      ...fields,
    }),
  );
const RESULT = { both: 3 } as BacktestResult;

function setup() {
  const told = new Map<string, (news: BacktestNews) => void>();
  const stopped: string[] = [];
  const written: BacktestProgress[] = [];
  const state = { isOurs: true, over: new Set<string>(), nowMs: NOW };
  const backtests = createBacktests({
    start({ id }, onNews) {
      told.set(id, onNews);
      return async () => stopped.push(id);
    },
    write: async (progress) => void written.push(progress),
    isOver: async (id) => state.over.has(id),
    isOurs: () => state.isOurs,
    now: () => state.nowMs,
    onFault: () => undefined,
  });
  const states = () => written.map(({ request: { id }, state: own }) => `${id} ${own}`);
  return { backtests, told, stopped, written, state, states, started: () => [...told.keys()] };
}
const settled = () => new Promise(setImmediate);

test('backtests run one after the other, by the detector whose turn it is, and tell how far they are', async () => {
  const { backtests, told, written, state, states, started } = setup();
  state.isOurs = false;
  backtests.take(request('a'));
  backtests.take(request('b'));
  await backtests.tick();
  expect(started()).toEqual([]);
  state.isOurs = true;
  await backtests.tick();
  await backtests.tick();
  expect(started()).toEqual(['a']);
  told.get('a')!({ kind: 'progress', rowsDone: 10, rowsTotal: 20 });
  told.get('a')!({ kind: 'done', result: RESULT });
  await settled();
  expect(written.at(-1)).toMatchObject({ state: 'done', rowsDone: 10, rowsTotal: 20, result: RESULT });
  await backtests.tick();
  told.get('b')!({ kind: 'failed', problem: 'no ledger' });
  await settled();
  expect(states()).toEqual(['a running', 'a done', 'b failed']);
  expect(written.at(-1)!.problem).toBe('no ledger');
});

test('one that is cancelled is ended, or never begun, and what it still says is not heard', async () => {
  const { backtests, told, stopped, states, started } = setup();
  backtests.take(request('a'));
  backtests.take(request('b'));
  await backtests.tick();
  backtests.take(request('b', { cancelled: true }));
  backtests.take(request('a', { cancelled: true }));
  await settled();
  told.get('a')!({ kind: 'done', result: RESULT });
  await settled();
  await backtests.tick();
  expect({ started: started(), stopped, states: states() }).toEqual({
    ...{ started: ['a'], stopped: ['a'], states: ['a cancelled'] },
  });
});

test('what is on the topic from long ago, or was finished before a restart, is not run again', async () => {
  const { backtests, state, started } = setup();
  backtests.take(request('old', { requested_at: at(NOW - 600_000) }));
  backtests.take(Buffer.from('{"id": 3}'));
  state.over.add('done');
  backtests.take(request('done'));
  backtests.take(request('late'));
  await backtests.tick();
  state.nowMs += 600_000;
  await backtests.tick();
  expect(started()).toEqual([]);
});
