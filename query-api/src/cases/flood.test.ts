import { RISK_OF } from '@lanewatch/detector/contract';
import { expect, test } from 'vitest';
import { laneCases } from './build.ts';
import type { FindingOfLane, LaneFigures } from './candidates.ts';
import { entriesOf } from './group.ts';

const figures = (lane: string, parts: Partial<LaneFigures>): LaneFigures => ({
  ...{ lane, hint: `sk-${lane}`, org: '', standing: 'unknown', posture: [], shared: false, live: true, spent: '0.01' },
  ...{ people: 1, endpoints: 1, repos: 1, sessions: 1, collector: 'laptops' },
  ...parts,
});
const found = (lane: string, rule: string, severity: FindingOfLane['severity'], number: number): FindingOfLane => ({
  ...{ id: `${rule}-${lane}`, rule, lane, fingerprint: '', hint: `sk-${lane}`, org: '', severity, standing: 'unknown' },
  ...{ last_received_at: number, first_ms: number, last_ms: number },
});
const asFound = ({ severity }: FindingOfLane) => ({ state: 'open' as const, severity, assignee: '' });

test('a leaked key stays on top of the queue whatever a collector makes up beside it, which is an entry or two', () => {
  const invented = Array.from({ length: 300 }, (_unused, index) => `made-up-${index}`);
  const findings = [
    ...invented.flatMap((lane, index) =>
      ['R01', 'R25', 'R29'].slice(0, 1 + (index % 3)).map((rule) => found(lane, rule, 'medium', 1_000 + index)),
    ),
    found('leaked', 'R01', 'high', 1),
    { ...found('collector', 'R01', 'medium', 2_000), standing: 'known' as const },
  ].sort((one, other) => RISK_OF[other.severity] - RISK_OF[one.severity]);
  const lanes = [...invented.map((lane) => figures(lane, {})), figures('leaked', { spent: '0.4' })];
  const { open } = laneCases(
    { findings, figures: new Map(lanes.map((one) => [one.lane, one])), truncated: false },
    asFound,
  );
  const entries = entriesOf(open);
  expect(entries[0]!.key).toBe('leaked');
  expect(entries.length).toBeLessThanOrEqual(5);
  expect(entries.flatMap(({ members }) => members)).toHaveLength(302);
});
