import type { ClickHouseClient } from '@clickhouse/client';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { BacktestRequest, BacktestResult, LedgerRow, RuleId, RuleSettings } from '../../contract/index.ts';
import { createRegistryView } from '../classify/registry-view.ts';
import { createLaneStates, type LaneStates } from '../lane-state/lane-states.ts';
import type { Places } from '../networks/places.ts';
import { rulesInForce, windowMsOf } from '../rules/index.ts';
import { liveRules } from '../rules/live-rules.ts';
import type { RuleOverrides } from '../rules/parameters.ts';
import type { Rule } from '../rules/rule.ts';
import { isTriedByJob, runJobTrial } from './job-trial.ts';
import { rowsOfRule } from './rows-of-rule.ts';
import { storedRows, type StoredProfile } from './stored-rows.ts';
import { createTrial } from './trial.ts';

export interface BacktestParts {
  client: ClickHouseClient;
  database: string;
  request: BacktestRequest;
  /** The registry as it is now: what it was then is in the rows' standing alone. */
  records: readonly CredentialRecord[];
  overrides: RuleOverrides;
  places: Places;
  lanesMax: number;
  valuesPerLane: number;
  signal: AbortSignal;
  onProgress(rowsDone: number, rowsTotal: number): void;
}

/** So long before the time that counts rows are taken in, so that who was there the day before is known. */
const WARM_UP_MS = 86_400_000;
const PROGRESS_ROWS = 20_000;
/** Lanes held where they come one after the other. */
const LANES_AT_A_TIME = 8;

/**
 * Holds a rule against stored events, with the settings that are tried and with those that it has.
 * @throws Error when events can't be read, the signal fires, or the rule finds more than memory is given for
 */
export async function runBacktest(parts: BacktestParts): Promise<BacktestResult> {
  const { request, signal, onProgress } = parts;
  const { rule: id } = request.settings;
  const fromMs = Date.parse(request.from);
  const rule = id as RuleId;
  if (isTriedByJob(rule)) {
    const [tried, present] = [asNow(request.settings), request.present === null ? null : asNow(request.present)];
    const result = await runJobTrial({ ...parts, rule, tried, present, nowMs: Date.parse(request.to) });
    onProgress(parts.records.length, parts.records.length);
    return result;
  }
  const { order, isByLaneState, where } = rowsOfRule(rule, parts.records);
  const wanted = { fromMs: fromMs - WARM_UP_MS, toMs: Date.parse(request.to), where };
  const isLaneByLane = order === 'lane';
  const rules = rulesInForce(parts.overrides, parts.places);
  const lanes = createLaneStates({
    ...parts,
    lanesMax: isLaneByLane ? LANES_AT_A_TIME : parts.lanesMax,
    windowMs: windowMsOf(rules),
  });
  const trial = createTrial({
    ...{ lanes: isByLaneState ? lanes : null, fromMs, isLaneByLane },
    tried: ruleAs(request.settings, parts),
    present: request.present === null ? ruleOf(id, rules) : ruleAs(request.present, parts),
    others: id === 'R29' ? rules.filter((rule) => rule.id !== id) : [],
    credentialOf: credentialsOf(parts.records),
  });
  const rows = storedRows(parts.client, parts.database);
  const total = await rows.count(wanted, signal);
  let done = 0;
  onProgress(done, total);
  const learned = isByLaneState ? learnedBefore(rows.profiles(wanted.fromMs, signal), lanes) : NOTHING_LEARNED;
  const take = (row: LedgerRow) => {
    trial.take(row);
    if (++done % PROGRESS_ROWS === 0) onProgress(done, total);
  };
  if (isLaneByLane) await rows.byLane(wanted, { onLane: learned.of, onRow: take }, signal);
  else {
    await learned.all();
    await rows.byTime(wanted, take, signal);
  }
  onProgress(done, total);
  return trial.finish();
}

function ruleOf(id: string, rules: readonly Rule[]): Rule {
  const rule = rules.find((other) => other.id === id);
  if (rule === undefined) throw new Error(`${id} is not decided by events`);
  return rule;
}

/** Settings as if they had been so from the beginning of time. */
function asNow(settings: RuleSettings): RuleSettings {
  return { ...settings, version: 1, effective_from: new Date(0).toISOString() };
}

/** The rule as these settings have it from the beginning of time. */
function ruleAs(settings: RuleSettings, { overrides, places }: Pick<BacktestParts, 'overrides' | 'places'>): Rule {
  const live = liveRules((some) => rulesInForce(some, places), overrides);
  if (!live.apply(Buffer.from(JSON.stringify(asNow(settings)))))
    throw new Error(`the settings of ${settings.rule} are none`);
  return ruleOf(settings.rule, live.rules);
}

/** Which credential a row's event matched: that of its own secret, or of whichever the registry has under the id. */
export function credentialsOf(records: readonly CredentialRecord[]) {
  const registry = createRegistryView();
  for (const record of records) registry.apply(Buffer.from(JSON.stringify(record)));
  const byId = new Map([...registry.all()].map((credential) => [credential.record.id, credential]));
  return (row: LedgerRow) => {
    const own = registry.byKey(row.lane);
    return own?.record.id === row.credential_id ? own : (byId.get(row.credential_id) ?? null);
  };
}

const NOTHING_LEARNED = { all: () => Promise.resolve(), of: () => Promise.resolve() };

/** Puts lanes back as they were learned before. */
function learnedBefore(profiles: AsyncGenerator<StoredProfile>, lanes: LaneStates) {
  let next: StoredProfile | null | undefined;

  /** The one that is next in order; null behind the last. */
  async function peek(): Promise<StoredProfile | null> {
    if (next === undefined) {
      const { value, done } = await profiles.next();
      next = done === true ? null : value;
    }
    return next;
  }

  function restore({ lane, fingerprint, lane_profile }: StoredProfile): void {
    lanes.restoreLane({ lane, fingerprint, kafka_partition: 0 });
    lanes.restoreProfile({ lane, lane_profile } as Parameters<LaneStates['restoreProfile']>[0]);
  }

  return {
    async all(): Promise<void> {
      for (let stored = await peek(); stored !== null; stored = await peek()) {
        restore(stored);
        next = undefined;
      }
    },
    /** Lanes are asked for in their order. */
    async of(lane: string): Promise<void> {
      for (let stored = await peek(); stored !== null && stored.lane <= lane; stored = await peek()) {
        if (stored.lane === lane) restore(stored);
        next = undefined;
      }
    },
  };
}
