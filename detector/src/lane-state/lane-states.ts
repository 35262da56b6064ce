import type { LedgerRow } from '../../contract/index.ts';
import type { LaneWithFindings } from '../findings/finding-states.ts';
import type { LaneDimension, LaneIdentity, LaneValue, ProfileRow } from '../ledger/ledger.ts';
import { NOWHERE, type Places } from '../networks/places.ts';
import { isResolvedUser } from './people.ts';
import { createSight, learn, newProfile, type LaneProfile, type Sight } from './profile.ts';
import { profileOf, textOf } from './profile-text.ts';
import { setStays, touchStay } from './stays.ts';
import {
  addValue,
  createValueTable,
  forgottenUntil,
  indexOf,
  makeRoom,
  touch,
  type ValueTable,
} from './value-table.ts';

/** A lane as the detector holds it: what it was seen with, and its place in the order of use. */
export interface LaneState extends LaneWithFindings {
  /** Count of observed events when the lane last moved to the end of the order of use. */
  movedAt: number;
}

/** A lane of which nothing is known yet. */
export function newLane({ lane, fingerprint, kafka_partition }: LaneIdentity): LaneState {
  return {
    lane,
    fingerprint,
    partition: kafka_partition,
    user: null,
    unresolved: null,
    endpoint: null,
    agent: null,
    session: null,
    repo: null,
    model: null,
    environment: null,
    profile: newProfile(),
    findings: [],
    movedAt: 0,
  };
}

export interface LaneStatesOptions {
  /** Lanes held at most; one that is idle long is forgotten first. */
  lanesMax: number;
  /** Values held per lane and dimension. */
  valuesPerLane: number;
  /** People, repositories and environments held beyond that, over all lanes: rules count them. */
  extraValuesMax?: number;
  /** Sights of a person that are less apart are one stay; the window that the rules in force count people in. */
  windowMs?: number | undefined;
  /** Where addresses are. */
  places?: Places;
}

export interface LaneStates {
  /** Adds an event to its lane and returns the lane. */
  observe(row: LedgerRow): LaneState;
  /** After {@link observe}: whether it is sure that the event's user names somebody who was not seen within the window of it. */
  readonly personJoined: boolean;
  /** After {@link observe}: what the event was in the light of what is usual on its lane. */
  readonly sight: Sight;
  get(lane: string): LaneState | undefined;
  restoreLane(lane: LaneIdentity): void;
  /** Puts a value of a lane back, or of one that is not held; those of a dimension come with the latest first. */
  restoreLaneValue(value: LaneValue, lane?: LaneState): void;
  /** Goes on with a lane's profile by the next of its stored rows, the first of which may carry it. */
  restoreProfile(row: ProfileRow): void;
  /** Values of a dimension that a lane may hold, and one more that shows that there were others. */
  valuesToRestore(dimension: LaneDimension): number;
  readonly windowMs: number;
  /** Forgets everything, before a new assignment is restored. */
  clear(): void;
  readonly size: number;
  /** People, repositories and environments held beyond `valuesPerLane`. */
  readonly extraValues: number;
  /** Lanes forgotten because of the bound, since start. */
  readonly evictions: number;
}

/** Of one dimension of a lane: more than the people a key can be declared for. */
const LANE_VALUES_MAX = 131_072;
const EXTRA_VALUES_MAX_DEFAULT = 1_000_000;
const WINDOW_MS_DEFAULT = 24 * 3_600_000;

/** The memory of lanes of the partitions that this detector holds. */
export function createLaneStates({
  lanesMax,
  valuesPerLane,
  extraValuesMax = EXTRA_VALUES_MAX_DEFAULT,
  windowMs = WINDOW_MS_DEFAULT,
  places = NOWHERE,
}: LaneStatesOptions): LaneStates {
  // Insertion order is order of use, give or take a quarter of the bound: a lane that is used moves to the end once in so many
  // events. When one is forgotten, all others were used since it moved, so it was idle for three quarters of the bound.
  // Counted in events, not by a clock: a flood of new lanes makes the same events a matter of seconds.
  const lanes = new Map<string, LaneState>();
  const interned = new Map<string, string>();
  let personJoined = false;
  const sight = createSight();
  /** Values held beyond their tables' bound. */
  let extraValues = 0;
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

  /** Notes a value in its table. `shared`: other lanes have it too; `counted`: rules count it, so it gets room beyond the bound. */
  function note(table: ValueTable, value: string, atMs: number, shared: boolean, counted: boolean): void {
    const index = indexOf(table, value);
    if (index !== -1) touch(table, index, atMs);
    else take(table, shared ? intern(value) : value, atMs, atMs, counted);
  }

  /** Takes a new value in if there is room for it. */
  function take(table: ValueTable, value: string, firstMs: number, lastMs: number, counted: boolean): boolean {
    const held = table.values.length;
    if (held < valuesPerLane) {
      addValue(table, value, firstMs, lastMs);
      return true;
    }
    const mayGrow = counted && extraValues < extraValuesMax && held < LANE_VALUES_MAX;
    const isTaken = mayGrow || makeRoom(table, value, lastMs);
    if (isTaken) addValue(table, value, firstMs, lastMs);
    extraValues += extraOf(table) - Math.max(0, held - valuesPerLane);
    return isTaken;
  }

  function extraOf(table: ValueTable | null): number {
    return table === null ? 0 : Math.max(0, table.values.length - valuesPerLane);
  }

  /** Notes who used the lane; those that name nobody are counted apart. */
  function noteUser(state: LaneState, user: string, atMs: number): void {
    const people = state.user;
    const index = people === null ? -1 : indexOf(people, user);
    if (index !== -1) {
      // Of a time that is not known completely, an earlier sight may be missing.
      personJoined = touchStay(people!, index, atMs, windowMs) && forgottenUntil(people!) <= atMs - windowMs;
      return;
    }
    const unresolved = state.unresolved === null ? -1 : indexOf(state.unresolved, user);
    if (unresolved !== -1) touch(state.unresolved!, unresolved, atMs);
    else if (!isResolvedUser(user)) take((state.unresolved ??= createValueTable()), intern(user), atMs, atMs, false);
    else {
      const table = (state.user ??= createValueTable());
      const isTaken = take(table, intern(user), atMs, atMs, true);
      personJoined = isTaken && forgottenUntil(table) <= atMs - windowMs;
    }
  }

  function forgetIdlest(): void {
    const [lane, { user, repo, environment }] = lanes.entries().next().value!;
    lanes.delete(lane);
    extraValues -= extraOf(user) + extraOf(repo) + extraOf(environment);
    evictions++;
  }

  function create(identity: LaneIdentity): LaneState {
    if (lanes.size >= lanesMax) forgetIdlest();
    const state = newLane(identity);
    state.movedAt = observed;
    lanes.set(state.lane, state);
    return state;
  }

  return {
    observe(row) {
      observed++;
      let state = lanes.get(row.lane);
      if (state === undefined) state = create(row);
      else if (observed - state.movedAt > moveEvery) {
        state.movedAt = observed;
        lanes.delete(row.lane);
        lanes.set(row.lane, state);
      }
      state.partition = row.kafka_partition;
      personJoined = false;
      // Spelled out per dimension: a loop over property names would make every access a megamorphic look-up.
      const at = row.seen_at;
      const endpoint = row.ip === '' ? row.host : row.ip;
      if (row.user !== '') noteUser(state, row.user, at);
      if (endpoint !== '') note((state.endpoint ??= createValueTable()), endpoint, at, true, false);
      if (row.agent !== '') note((state.agent ??= createValueTable()), row.agent, at, true, false);
      if (row.session !== '') note((state.session ??= createValueTable()), row.session, at, false, false);
      if (row.repo !== '') note((state.repo ??= createValueTable()), row.repo, at, true, true);
      if (row.model !== '') note((state.model ??= createValueTable()), row.model, at, true, false);
      if (row.environment !== '') note((state.environment ??= createValueTable()), row.environment, at, true, true);
      learn(state.profile, row, places, sight, intern);
      if (state.profile.rowsSince >= rowsToCarry(state.profile)) {
        state.profile.rowsSince = 0;
        row.lane_profile = textOf(state.profile);
      }
      return state;
    },
    sight,
    get personJoined() {
      return personJoined;
    },
    get: (lane) => lanes.get(lane),
    restoreLane: (lane) => void create(lane),
    restoreLaneValue({ lane, dimension, value, stays }, state = lanes.get(lane)) {
      if (state === undefined || value === '') return;
      const extraBefore = extraValues;
      const table = (state[dimension] ??= createValueTable());
      const text = dimension === 'session' ? value : intern(value);
      if (take(table, text, stays[0]!, stays.at(-1)!, isCounted(dimension)) && stays.length > 2)
        setStays(table, table.latest, stays);
      if (state !== lanes.get(lane)) extraValues = extraBefore;
    },
    restoreProfile(row) {
      const state = lanes.get(row.lane);
      if (state === undefined) return;
      const carried = row.lane_profile === '' ? null : profileOf(row.lane_profile, intern);
      if (carried !== null) state.profile = carried;
      else learn(state.profile, row, places, sight, intern);
    },
    valuesToRestore: (dimension) => (isCounted(dimension) ? LANE_VALUES_MAX : valuesPerLane) + 1,
    windowMs,
    clear() {
      lanes.clear();
      interned.clear();
      extraValues = 0;
    },
    get size() {
      return lanes.size;
    },
    get extraValues() {
      return extraValues;
    },
    get evictions() {
      return evictions;
    },
  };
}

const INTERNED_MAX = 100_000;
/** A profile is carried after an eighth of a lane's rows, within these bounds: what a restart goes through, against what the ledger holds. */
const CARRIED_ROWS_MIN = 32;
const CARRIED_ROWS_MAX = 512;

function rowsToCarry({ calls }: LaneProfile): number {
  return Math.min(CARRIED_ROWS_MAX, Math.max(CARRIED_ROWS_MIN, calls >> 3));
}

function isCounted(dimension: LaneDimension): boolean {
  return dimension === 'user' || dimension === 'repo' || dimension === 'environment';
}
