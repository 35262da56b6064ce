import {
  encodeUsageRow,
  fingerprintOf,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
  type CredentialRecord,
  type UsageEvent,
} from '@lanewatch/ingest/contract';
import { expect } from 'vitest';
import type { Finding, LedgerRow, RuleId } from '../../../contract/index.ts';
import { createRegistryView } from '../../classify/registry-view.ts';
import type { FloodLimits } from '../../findings/flood-guard.ts';
import { createLaneStates } from '../../lane-state/lane-states.ts';
import { placesOf } from '../../networks/places.ts';
import { createDedupeWindow } from '../../pipeline/dedupe-window.ts';
import { createPlacement } from '../../pipeline/move.ts';
import { createPipeline } from '../../pipeline/pipeline.ts';
import { NOON, usageEvent } from '../../pipeline/testing/events.ts';
import { createMemoryLedger } from '../../pipeline/testing/memory-ledger.ts';
import { rulesInForce, windowMsOf } from '../index.ts';
import type { RuleOverrides } from '../parameters.ts';

export const HOUR = 3_600_000;
export const LANE = fingerprintOf('lane');
export const HINT = 'sk-ant-api03-R2D...igAA';
export const iso = (ms: number) => new Date(ms).toISOString();

/** A registered credential, valid and personal unless told otherwise. */
export function credential(fields: Partial<CredentialRecord>): Partial<CredentialRecord> {
  return {
    id: 'cred',
    fingerprint: LANE,
    hint: HINT,
    name: 'key',
    kind: 'registered',
    status: 'active',
    created_at: iso(NOON - HOUR),
    version: 1,
    ...fields,
  };
}

/** Countries by the first number of an address, networks by the second as well. */
const COUNTRIES: Record<string, string> = { '81': 'DE', '82': 'US', '83': 'JP' };
export const PLACES = placesOf((ip) => {
  const [first = '', second = ''] = ip.split('.');
  const country = COUNTRIES[first] ?? '';
  return { country, network: country === '' ? '' : `AS${first}${second} Net`, latitude: null, longitude: null };
});

/** What a run may have otherwise than usual. */
export interface RunOptions {
  /** Registered before the last event. */
  later?: Partial<CredentialRecord>[];
  /** Values that lanes may hold beyond eight of each kind. */
  extraValuesMax?: number;
  /** Rule parameters that are not the defaults. */
  overrides?: RuleOverrides;
  /** Rules that are looked at; all when nothing is said. */
  only?: RuleId;
  /** Findings of a rule and collector that may be raised. */
  flood?: FloodLimits;
}

/** Runs events through the pipeline in order and returns the findings it wrote: the same whether it dies after each event or never. */
export async function findingsOf(
  events: Partial<UsageEvent>[],
  credentials: Partial<CredentialRecord>[] = [],
  options: RunOptions = {},
): Promise<Finding[]> {
  const { findings, rows } = await runOf(events, credentials, options, () => false);
  const restarted = await runOf(events, credentials, options, () => true);
  expect(restarted.findings).toEqual(findings);
  expect(restarted.rows.map((row) => row.findings)).toEqual(rows.map((row) => row.findings));
  return options.only === undefined ? findings : findings.filter(({ rule }) => rule === options.only);
}

/** The same with a detector that dies where it is told to: after the event of that number. */
export async function findingsOfLives(
  events: Partial<UsageEvent>[],
  credentials: Partial<CredentialRecord>[],
  options: RunOptions,
  diesAfter: (number: number) => boolean,
): Promise<Finding[]> {
  return (await runOf(events, credentials, options, diesAfter)).findings;
}

/** The same with the rows that were stored. */
export async function runOf(
  events: Partial<UsageEvent>[],
  credentials: Partial<CredentialRecord>[],
  { later = [], extraValuesMax = 1_000, overrides = {}, flood }: RunOptions,
  diesAfter: (number: number) => boolean,
): Promise<{ findings: Finding[]; rows: LedgerRow[] }> {
  const registry = createRegistryView();
  const register = (records: Partial<CredentialRecord>[]) => {
    for (const record of records) expect(registry.apply(Buffer.from(JSON.stringify(record)))).toEqual({ ok: true });
  };
  register(credentials);
  const ledger = createMemoryLedger();
  const rules = rulesInForce(overrides, PLACES);
  let lives = 0;
  const startPipeline = () =>
    createPipeline({
      instance: `detector-${lives++}`,
      ledger,
      registry,
      lanes: createLaneStates({
        lanesMax: 100,
        valuesPerLane: 8,
        extraValuesMax,
        windowMs: windowMsOf(rules),
        places: PLACES,
      }),
      rules,
      createDedupe: () => createDedupeWindow({ windowMs: HOUR, idsMax: 1000 }),
      dedupeWindowMs: HOUR,
      dedupeIdsMax: 1000,
      laneHistoryMs: HOUR,
      ...(flood !== undefined && { flood }),
      lanesMax: 100,
      batchRowsMax: 100,
      flushIntervalMs: 0,
      now: () => NOON,
      wait: () => Promise.reject(new Error('no stage may fail here')),
      publishDeadLetters: () => Promise.reject(new Error('every event must be decoded')),
      publishMoves: () => Promise.reject(new Error('one partition is home to all')),
      placement: () => Promise.resolve(createPlacement(1)),
      publishFindings: async () => undefined,
      endOffsets: async () => new Map(),
      commit: async () => undefined,
      rejoin: () => undefined,
      observer: {
        stored: () => undefined,
        finished: () => undefined,
        assigned: () => undefined,
        fault: () => undefined,
      },
    });
  let pipeline = startPipeline();
  await pipeline.onAssignment([0]);
  const startAnew = async () => {
    await pipeline.close();
    pipeline = startPipeline();
    await pipeline.onAssignment([0]);
  };
  const headers = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };
  for (const [offset, event] of events.entries()) {
    if (offset === events.length - 1) register(later);
    const value = Buffer.from(encodeUsageRow(usageEvent({ id: String(offset), ...event })));
    const record = { partition: 0, offset, key: null, value, headers, timestamp: NOON };
    await pipeline.onBatch({ partition: 0, records: [record], endOffset: offset + 1 });
    if (diesAfter(offset)) await startAnew();
  }
  await pipeline.close();
  // What the rows carry and what the findings count are two accounts of the same thing.
  for (const finding of ledger.findings.values()) {
    expect(ledger.rows.filter((row) => row.findings.includes(finding.id))).toHaveLength(finding.occurrences);
  }
  const findings = [...ledger.findings.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  return { findings, rows: ledger.rows };
}
