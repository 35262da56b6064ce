import { fingerprintOf, laneOf, type UsageEvent } from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RISK_OF, type Finding } from '../../contract/index.ts';
import { createLaneStates } from '../lane-state/lane-states.ts';
import { eventRow } from '../pipeline/decoded-row.ts';
import { createDetection } from '../pipeline/detection.ts';
import { NOON, usageEvent } from '../pipeline/testing/events.ts';
import { rulesInForce } from '../rules/index.ts';
import { findingsOf, HOUR, runOf } from '../rules/testing/run-rules.ts';
import { floodIdOf } from './flood-guard.ts';

const CENT = 10_000_000;
const DAY_MS = 86_400_000;
const invented = (number: number, fields: Partial<UsageEvent> = {}): Partial<UsageEvent> => ({
  ...{ fingerprint: '', hint: `sk-made-up-${number}`, ip: '203.0.113.9', cost_nano_usd: CENT },
  ...fields,
});
const times = (count: number) => Array.from({ length: count }, (_unused, index) => index);

test.each([
  ['seventeen invented hints', times(17).map((index) => invented(index))],
  ['twelve invented organisations of one hint', times(12).map((index) => invented(0, { org: `org-${index}` }))],
])('%s of one cent are nothing grave', async (_what, events) => {
  const findings = await findingsOf(events);
  expect(findings.length).toBeGreaterThanOrEqual(events.length);
  expect(new Set(findings.map(({ severity }) => severity))).toEqual(new Set(['medium']));
});

test('five thousand invented hints raise a hundred findings a rule, and a leaked key beside them is the gravest of all', () => {
  const rules = rulesInForce();
  const detection = createDetection(createLaneStates({ lanesMax: 20_000, valuesPerLane: 8 }), rules);
  const at = { partition: 0, offset: 0, key: null, value: Buffer.alloc(0), headers: {}, timestamp: NOON };
  const counted: string[][] = [];
  const observe = (fields: Partial<UsageEvent>) => {
    const row = eventRow(usageEvent(fields), at, 0);
    row.lane = laneOf(row.fingerprint, row.hint, row.org);
    row.standing = 'unknown';
    detection.observe(row, null);
    counted.push(row.findings);
  };
  const leaked = fingerprintOf('leaked');
  for (const index of times(5_000)) {
    observe(invented(index));
    if (index === 4_000) observe({ fingerprint: leaked, user: 'eve@example.com', cost_nano_usd: CENT });
  }
  const raised = detection.takeChanges().map(({ finding }) => finding);
  for (const own of Map.groupBy(raised, ({ rule }) => rule).values()) expect(own.length).toBeLessThanOrEqual(101);
  const gravest = Math.max(...raised.map(({ risk }) => risk));
  expect(raised.filter(({ risk }) => risk === gravest).map(({ lane }) => lane)).toEqual([leaked]);
  expect(gravest).toBe(RISK_OF.high);
  // Nothing goes uncounted: each event is an occurrence of a finding of its own or of the one that counts the rest.
  const rest = floodIdOf('R01', 'c1', NOON - (NOON % DAY_MS));
  expect(counted.every((ids) => ids.some((id) => id.startsWith('R01-')))).toBe(true);
  expect(counted.filter((ids) => ids.includes(rest))).toHaveLength(5_000 - 100);
});

test('what one collector sends takes nothing from another, hints nothing from fingerprints, and an hour nothing from the next', async () => {
  const flood = { findingsMax: 2, windowMs: HOUR };
  const events = [
    ...times(4).map((index) => invented(index, { ip: '' })),
    invented(5, { ip: '', collector: 'c2' }),
    { fingerprint: fingerprintOf('real') },
    invented(6, { ip: '', time: NOON + HOUR, received_at: NOON + HOUR }),
  ];
  const findings = await findingsOf(events, [], { flood, only: 'R01' });
  expect(findings.map(({ hint, fingerprint }) => hint || fingerprint).sort()).toEqual(
    ['sk-made-up-0', 'sk-made-up-1', 'sk-made-up-5', 'sk-made-up-6', fingerprintOf('real')].sort(),
  );
});

test('wherever a detector dies, the same findings are raised and the same rows counted besides', async () => {
  const event = fc.record({
    number: fc.nat({ max: 8 }),
    collector: fc.constantFrom('c1', 'c2'),
    minute: fc.nat({ max: 150 }),
    dollars: fc.constantFrom(0, 6),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 25 }),
      fc.array(fc.boolean(), { maxLength: 25 }),
      async (some, dies) => {
        const events = some.map(({ number, collector, minute, dollars }) =>
          invented(number, {
            ...{ collector, time: NOON + minute * 60_000, received_at: NOON + minute * 60_000 },
            cost_nano_usd: dollars * 1e9,
          }),
        );
        const options = { flood: { findingsMax: 2, windowMs: HOUR } };
        const told = ({ findings, rows }: { findings: Finding[]; rows: { findings: string[] }[] }) => [
          findings,
          rows.map((row) => row.findings),
        ];
        const whole = await runOf(events, [], options, () => false);
        expect(told(await runOf(events, [], options, (number) => dies[number] === true))).toEqual(told(whole));
      },
    ),
    { numRuns: 40 },
  );
});
