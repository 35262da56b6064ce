import type { ClickHouseClient } from '@clickhouse/client';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import type { BacktestRequest, BacktestResult, LedgerRow, RuleSettings } from '../../contract/index.ts';
import { createRegistryView } from '../classify/registry-view.ts';
import { createLaneStates, type LaneStates } from '../lane-state/lane-states.ts';
import type { Places } from '../networks/places.ts';
import { rulesInForce, windowMsOf } from '../rules/index.ts';
import { liveRules } from '../rules/live-rules.ts';
import type { RuleOverrides } from '../rules/parameters.ts';
import type { Rule } from '../rules/rule.ts';
import { storedRows } from './stored-rows.ts';
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

/** Rules that look across lanes, or at what other rules found: for these all rows come by time. */
const ACROSS_LANES = new Set(['R12', 'R25', 'R29']);
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
  const wanted = { fromMs: fromMs - WARM_UP_MS, toMs: Date.parse(request.to) };
  const isLaneByLane = !ACROSS_LANES.has(id);
  const rules = rulesInForce(parts.overrides, parts.places);
  const lanes = createLaneStates({
    ...parts,
    lanesMax: isLaneByLane ? LANES_AT_A_TIME : parts.lanesMax,
    windowMs: windowMsOf(rules),
  });
  const trial = createTrial({
    ...{ lanes, fromMs, isLaneByLane },
    tried: ruleAs(request.settings, parts),
    present: request.present === null ? ruleOf(id, rules) : ruleAs(request.present, parts),
    others: id === 'R29' ? rules.filter((rule) => rule.id !== id) : [],
    credentialOf: credentials(parts.records),
  });
  const rows = storedRows(parts.client, parts.database);
  const total = await rows.count(wanted, signal);
  let done = 0;
  onProgress(done, total);
  const learned = learnedBefore(rows.profiles(wanted.fromMs, signal), lanes);
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

/** The rule as these settings have it from the beginning of time. */
function ruleAs(settings: RuleSettings, { overrides, places }: Pick<BacktestParts, 'overrides' | 'places'>): Rule {
  const live = liveRules((some) => rulesInForce(some, places), overrides);
  const always = { ...settings, version: 1, effective_from: new Date(0).toISOString() };
  if (!live.apply(Buffer.from(JSON.stringify(always)))) throw new Error(`the settings of ${settings.rule} are none`);
  return ruleOf(settings.rule, live.rules);
}

/** Which credential a row's event matched: that of its own secret, or of whichever the registry has under the id. */
function credentials(records: readonly CredentialRecord[]) {
  const registry = createRegistryView();
  for (const record of records) registry.apply(Buffer.from(JSON.stringify(record)));
  const byId = new Map([...registry.all()].map((credential) => [credential.record.id, credential]));
  return (row: LedgerRow) => {
    const own = registry.byKey(row.lane);
    return own?.record.id === row.credential_id ? own : (byId.get(row.credential_id) ?? null);
  };
}

/** Puts lanes back as they were learned before. */
function learnedBefore(
  profiles: AsyncGenerator<[lane: string, fingerprint: string, profile: string][]>,
  lanes: LaneStates,
) {
  let some: [lane: string, fingerprint: string, profile: string][] = [];
  let at = 0;

  /** The next one; undefined behind the last. */
  async function next() {
    while (at === some.length) {
      const { value, done } = await profiles.next();
      if (done === true) return undefined;
      some = value;
      at = 0;
    }
    return some[at];
  }

  function restore([lane, fingerprint, lane_profile]: (typeof some)[number]): void {
    lanes.restoreLane({ lane, fingerprint, kafka_partition: 0 });
    lanes.restoreProfile({ lane, lane_profile } as Parameters<LaneStates['restoreProfile']>[0]);
  }

  return {
    async all(): Promise<void> {
      for (let own = await next(); own !== undefined; own = await next()) {
        restore(own);
        at++;
      }
    },
    /** Lanes are asked for in their order. */
    async of(lane: string): Promise<void> {
      for (let own = await next(); own !== undefined && own[0] <= lane; own = await next()) {
        if (own[0] === lane) restore(own);
        at++;
      }
    },
  };
}
