import type { ClickHouseClient } from '@clickhouse/client';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { BacktestResult, Finding, RuleId, RuleSettings } from '../../contract/index.ts';
import type { RuleOverrides } from '../rules/parameters.ts';
import { createSweepReader } from '../sweeps/reader.ts';
import { settledSweeper } from '../sweeps/settled-sweeper.ts';
import type { Sweeper } from '../sweeps/sweeper.ts';
import { createComparison } from './comparison.ts';

export interface JobTrialParts {
  client: ClickHouseClient;
  database: string;
  records: readonly CredentialRecord[];
  overrides: RuleOverrides;
  rule: RuleId;
  /** Null where the catalogue decides. */
  tried: RuleSettings;
  present: RuleSettings | null;
  nowMs: number;
}

/** The job that decides each rule. Of R23 and R27 it would take the registry, and each minute, as they were. */
const JOB_OF: Partial<Record<RuleId, keyof Sweeper>> = {
  R18: 'keys',
  R20: 'keys',
  R21: 'keys',
  R22: 'keys',
  R26: 'keys',
  R28: 'coverage',
};

/** Whether a rule is decided by a job from what registry and ledger hold now. */
export function isTriedByJob(rule: RuleId): boolean {
  return JOB_OF[rule] !== undefined;
}

/** Runs a rule's job twice over registry and ledger as they are, with the settings that are tried and with those that it has, and writes nothing. */
export async function runJobTrial(parts: JobTrialParts): Promise<BacktestResult> {
  const { rule, nowMs } = parts;
  const job = JOB_OF[rule];
  if (job === undefined) throw new Error(`${rule} is decided by no job that can be tried`);
  const reader = createSweepReader(parts.client, parts.database);

  async function findingsOf(settings: RuleSettings | null): Promise<Finding[]> {
    const found: Finding[] = [];
    const sweeper = settledSweeper(
      {
        ...{ records: () => parts.records, reader, overrides: parts.overrides },
        stored: () => Promise.resolve(new Set()),
        write: (findings) => Promise.resolve(void found.push(...findings.filter((finding) => finding.rule === rule))),
      },
      () => (settings === null ? [] : [settings]),
    );
    await sweeper[job!](nowMs);
    return found;
  }

  const comparison = createComparison();
  const tried = Map.groupBy(await findingsOf(parts.tried), ({ lane }) => lane);
  const present = Map.groupBy(await findingsOf(parts.present), ({ lane }) => lane);
  // The id of a key's finding names the threshold, so that each is told once; here it is the same one whichever it reached.
  const keyOf = job === 'keys' ? ({ facts }: Finding) => String(facts['projected'] ?? '') : undefined;
  for (const lane of new Set([...tried.keys(), ...present.keys()]))
    comparison.add(tried.get(lane) ?? [], present.get(lane) ?? [], keyOf);
  return comparison.result();
}
