import { fingerprintOf, type UsageEvent } from '@lanewatch/ingest/contract';
import { expect, test } from 'vitest';
import type { BacktestResult, LedgerRow } from '../../contract/index.ts';
import { createLaneStates } from '../lane-state/lane-states.ts';
import { NOON } from '../pipeline/testing/events.ts';
import { rulesInForce, windowMsOf } from '../rules/index.ts';
import { findingsOf, HOUR, PLACES, runOf } from '../rules/testing/run-rules.ts';
import { createTrial } from './trial.ts';

const DAY = 24 * HOUR;
/** Twelve days of two people's keys; then one of them is used from a new agent and network, by both, and dearly. */
const habit = Array.from({ length: 60 }, (_unused, index): Partial<UsageEvent> => {
  const at = NOON - 12 * DAY + index * 4 * HOUR;
  const who = index % 2 === 0 ? 'ana' : 'ben';
  return {
    ...{ fingerprint: fingerprintOf(who), user: `${who}@acme.example`, ip: '81.1.0.1', repo: 'acme/app' },
    ...{ time: at, received_at: at, model: `m${index % 3}` },
  };
});
const deed = (minutes: number, fields: Partial<UsageEvent>): Partial<UsageEvent> => ({
  ...{ fingerprint: fingerprintOf('ana'), user: 'ben@acme.example', ip: '82.1.0.1', agent: 'curl', repo: 'acme/app' },
  ...{ time: NOON + minutes * 60_000, received_at: NOON + minutes * 60_000, cost_nano_usd: 9e9 },
  ...fields,
});
const EVENTS = [...habit, deed(0, {}), deed(1, { user: '', ip: '83.1.0.1' }), deed(2, { user: 'ana@acme.example' })];

/** Both settings of a rule over the rows that a detector stored of these events. */
async function trialOf(id: string, overrides: object, isLaneByLane: boolean): Promise<BacktestResult> {
  const { rows } = await runOf(EVENTS, [], {}, () => false);
  const rules = rulesInForce({}, PLACES);
  const trial = createTrial({
    lanes: createLaneStates({ lanesMax: 100, valuesPerLane: 8, windowMs: windowMsOf(rules), places: PLACES }),
    tried: rulesInForce({ [id]: overrides }, PLACES).find((rule) => rule.id === id)!,
    present: rules.find((rule) => rule.id === id)!,
    others: id === 'R29' ? rules.filter((rule) => rule.id !== id) : [],
    credentialOf: () => null,
    fromMs: 0,
    isLaneByLane,
  });
  const byTime = (one: LedgerRow, other: LedgerRow) => one.seen_at - other.seen_at;
  const ordered = [...rows].sort((one, other) =>
    isLaneByLane && one.lane !== other.lane ? (one.lane < other.lane ? -1 : 1) : byTime(one, other),
  );
  for (const row of ordered) trial.take({ ...row, findings: [], evidence: [], lane_profile: '' });
  return trial.finish();
}

const RULES: [string, object][] = [
  ['R01', { spend_usd: 100, live_spend_usd: 100 }],
  ['R05', {}],
  ['R07', { events: 25 }],
  ['R10', { spend_usd: 8, cold_usd: 8 }],
  ['R13', { speed_km_h: 1e6 }],
  ['R25', { keys: 2 }],
  ['R29', { rules: 3 }],
];

test.each(RULES)(
  '%s finds in a backtest what a detector that is set so finds in the same events',
  async (id, overrides) => {
    const { tried, present } = await trialOf(id, overrides, !['R25', 'R29'].includes(id));
    for (const [counts, set] of [
      [present, {}],
      [tried, { [id]: overrides }],
    ] as const) {
      const found = (await findingsOf(EVENTS, [], { overrides: set })).filter(({ rule }) => rule === id);
      expect(counts.findings).toBe(found.length);
      expect(counts.occurrences).toBe(found.reduce((sum, { occurrences }) => sum + occurrences, 0));
      for (const [severity, count] of Object.entries(counts.by_severity))
        expect([severity, found.filter((finding) => finding.severity === severity).length]).toEqual([severity, count]);
    }
  },
);

test('what is found either way, by one alone, and otherwise severe is told apart', async () => {
  const milder = await trialOf('R01', { spend_usd: 100, live_spend_usd: 100 }, true);
  expect(milder).toMatchObject({ both: 2, other_severity: 1, more_count: 0, fewer_count: 0 });
  const off = await trialOf('R07', { events: 10_000 }, true);
  expect(off).toMatchObject({ both: 0, fewer_count: off.present.findings, tried: { findings: 0 } });
  expect(off.fewer[0]).toMatchObject({ rule: 'R07', lane: fingerprintOf('ana') });
});
