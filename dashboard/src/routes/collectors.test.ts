import type { CollectorHealth } from '@lanewatch/query-api/contract';
import { expect, it } from 'vitest';
import { overviewOf } from '../../e2e/answers.ts';
import { organisation } from '../../e2e/organisation.ts';
import { collectorFaults, misplacedOf, silenceWarning, silentWarning, unaccountedOf } from './collectors.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const { collectors } = overviewOf(organisation(NOW_MS), '7d', NOW_MS);
const reporting = collectors.find((one) => one.state === 'reporting') as CollectorHealth;

it('says how many collectors are silent or never reported; the risk banner of the silent ones alone', () => {
  expect(silentWarning(collectors)).toBe('1 collector silent');
  expect(silentWarning([{ ...reporting, state: 'never' }])).toBe('');
  expect(silenceWarning(collectors)).toBe('1 collector silent, 1 collector never reported');
  expect(silenceWarning([reporting])).toBe('');
});

it('adds up what became of accepted events, and calls the rest unaccounted for', () => {
  const counts = { accepted: 20, stored: 10, duplicates: 3, dead_lettered: 2, in_flight: 4 };
  expect(unaccountedOf({ ...reporting, ...counts })).toBe(1);
  expect(unaccountedOf({ ...reporting, ...counts, in_flight: 5 })).toBe(0);
  expect(unaccountedOf({ ...reporting, ...counts, accepted: 0 })).toBe(0);
});

it('finds no fault only where somebody should report, all of them do, and the sums agree', () => {
  expect(collectorFaults([reporting])).toEqual([]);
  expect(collectorFaults([reporting, { ...reporting, state: 'revoked' }])).toEqual([]);
  expect(collectorFaults([{ ...reporting, state: 'revoked' }])).toEqual(['no collector is left that could report']);
  expect(collectorFaults([{ ...reporting, state: 'silent' }])).toEqual(['1 collector silent']);
  expect(collectorFaults([{ ...reporting, accepted: reporting.accepted + 2 }])).toEqual(['2 events unaccounted for']);
  expect(collectorFaults([{ ...reporting, accepted: reporting.accepted + 1, dead_lettered: 1 }])).toEqual([
    '1 dead letter',
  ]);
});

it('tells which own producers have another partitioner, and blames nobody for what ingest put elsewhere', () => {
  const producers = { ...reporting, collector: '', moved: 7, moved_sources: ['billing'] };
  expect(misplacedOf([{ ...reporting, moved: 3 }, producers])).toEqual({ count: 7, sources: ['billing'] });
  expect(misplacedOf([reporting])).toEqual({ count: 0, sources: [] });
});
