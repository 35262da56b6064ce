import type { LedgerRow } from '../../contract/index.ts';
import type { FindingState } from '../findings/finding-states.ts';
import type { LaneIdentity, LaneValue } from '../ledger/ledger.ts';
import { createValueTable, restoreValue, touch, type ValueTable } from './value-table.ts';

/** A lane as the detector remembers it: who and what was seen with it lately, and the findings it raised. */
export interface LaneState {
  lane: string;
  fingerprint: string;
  /** Where its events come from on the bus. */
  partition: number;
  user: ValueTable | null;
  endpoint: ValueTable | null;
  agent: ValueTable | null;
  session: ValueTable | null;
  repo: ValueTable | null;
  model: ValueTable | null;
  environment: ValueTable | null;
  findings: FindingState[];
  /** Count of observed events when the lane last moved to the end of the order of use. */
  moved_at: number;
}

/** A lane of which nothing is known yet. */
export function newLane({ lane, fingerprint, kafka_partition }: LaneIdentity): LaneState {
  return {
    lane,
    fingerprint,
    partition: kafka_partition,
    user: null,
    endpoint: null,
    agent: null,
    session: null,
    repo: null,
    model: null,
    environment: null,
    findings: [],
    moved_at: 0,
  };
}

export interface LaneStatesOptions {
  /** Lanes held at most; one that is idle long is forgotten first. */
  lanesMax: number;
  /** Values held per lane and dimension. */
  valuesPerLane: number;
}

export interface LaneStates {
  /** Adds an event to its lane and returns the lane; `previousUserSightMs` tells when the same user was seen before. */
  observe(row: LedgerRow): LaneState;
  /** After {@link observe}: last sight of the event's user before the event, NaN when the user was new or not named. */
  readonly previousUserSightMs: number;
  /** After {@link observe}: whether the event brought the lane a value it did not have. */
  readonly sawNewValue: boolean;
  get(lane: string): LaneState | undefined;
  restoreLane(lane: LaneIdentity): void;
  restoreLaneValue(value: LaneValue): void;
  /** Forgets everything, before a new assignment is restored. */
  clear(): void;
  readonly size: number;
  /** Lanes forgotten because of the bound, since start. */
  readonly evictions: number;
}

/** The memory of lanes of the partitions that this detector holds. */
export function createLaneStates({ lanesMax, valuesPerLane }: LaneStatesOptions): LaneStates {
  // Insertion order is order of use, give or take a quarter of the bound: a lane that is used moves to the end once in so many
  // events. When one is forgotten, all others were used since it moved, so it was idle for three quarters of the bound.
  // Counted in events, not by a clock: a flood of new lanes makes the same events a matter of seconds.
  const lanes = new Map<string, LaneState>();
  const interned = new Map<string, string>();
  let previousUserSightMs = NaN;
  let sawNewValue = false;
  let evictions = 0;
  let observed = 0;
  const moveEvery = Math.floor(lanesMax / 4);

  /** Lanes share users, agents and models; one copy of each text is kept while it fits. */
  function intern(text: string): string {
    const held = interned.get(text);
    if (held !== undefined) return held;
    if (interned.size >= INTERNED_MAX) interned.clear();
    interned.set(text, text);
    return text;
  }

  /** Notes a value in its table; `text` may be shared with other lanes when it is kept. */
  function note(table: ValueTable, text: string, atMs: number, shared: boolean): number {
    if (table.values[table.latest] === text) return touch(table, text, atMs, valuesPerLane);
    const previousMs = touch(table, shared ? intern(text) : text, atMs, valuesPerLane);
    if (Number.isNaN(previousMs)) sawNewValue = true;
    return previousMs;
  }

  function create(identity: LaneIdentity): LaneState {
    if (lanes.size >= lanesMax) {
      lanes.delete(lanes.keys().next().value!);
      evictions++;
    }
    const state = newLane(identity);
    state.moved_at = observed;
    lanes.set(state.lane, state);
    return state;
  }

  return {
    observe(row) {
      observed++;
      let state = lanes.get(row.lane);
      if (state === undefined) state = create(row);
      else if (observed - state.moved_at > moveEvery) {
        state.moved_at = observed;
        lanes.delete(row.lane);
        lanes.set(row.lane, state);
      }
      state.partition = row.kafka_partition;
      sawNewValue = false;
      // Spelled out per dimension: a loop over property names would make every access a megamorphic look-up.
      const at = row.seen_at;
      const endpoint = row.ip === '' ? row.host : row.ip;
      previousUserSightMs = row.user === '' ? NaN : note((state.user ??= createValueTable()), row.user, at, true);
      if (endpoint !== '') note((state.endpoint ??= createValueTable()), endpoint, at, true);
      if (row.agent !== '') note((state.agent ??= createValueTable()), row.agent, at, true);
      if (row.session !== '') note((state.session ??= createValueTable()), row.session, at, false);
      if (row.repo !== '') note((state.repo ??= createValueTable()), row.repo, at, true);
      if (row.model !== '') note((state.model ??= createValueTable()), row.model, at, true);
      if (row.environment !== '') note((state.environment ??= createValueTable()), row.environment, at, true);
      return state;
    },
    get previousUserSightMs() {
      return previousUserSightMs;
    },
    get sawNewValue() {
      return sawNewValue;
    },
    get: (lane) => lanes.get(lane),
    restoreLane: (lane) => void create(lane),
    restoreLaneValue({ lane, dimension, value, first_seen, last_seen }) {
      const state = lanes.get(lane);
      if (state === undefined || value === '') return;
      const table = (state[dimension] ??= createValueTable());
      restoreValue(table, dimension === 'session' ? value : intern(value), first_seen, last_seen);
    },
    clear() {
      lanes.clear();
      interned.clear();
    },
    get size() {
      return lanes.size;
    },
    get evictions() {
      return evictions;
    },
  };
}

const INTERNED_MAX = 100_000;
