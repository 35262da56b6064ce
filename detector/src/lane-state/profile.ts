import type { LedgerRow } from '../../contract/index.ts';
import type { Place, Places } from '../networks/places.ts';
import { closeHour, createHours, hourOf, noteLate, type Hours } from './hours.ts';
import {
  addValue,
  createValueTable,
  forgottenUntil,
  indexOf,
  makeRoom,
  touch,
  type ValueTable,
} from './value-table.ts';

/*
 * What is usual on a lane: a fold over its rows in the order in which they are stored, and over nothing else, so that the rows alone
 * bring it back. Now and then a row carries the profile as it is behind it (the ledger's lane_profile), so that few rows have to be
 * gone through again after a restart. It learns from calls that succeeded; refused ones are only counted.
 */

/** The dimensions of which it is known what is usual. */
export const PROFILED = ['endpoint', 'network', 'country', 'user', 'agent', 'repo', 'model', 'environment'] as const;
export type Profiled = (typeof PROFILED)[number];
/** Place of each dimension in arrays. */
export const AT = {
  endpoint: 0,
  network: 1,
  country: 2,
  user: 3,
  agent: 4,
  repo: 5,
  model: 6,
  environment: 7,
} as const;

/** Values held of each; a lane that has more is one on which new ones are usual. */
const VALUES_MAX = 24;
/** Refusals remembered, of each kind. */
const REFUSALS_MAX = 64;
/** Models whose rate is known. */
const MODELS_MAX = 8;

/** How often a model is called in an hour of this lane. */
export interface ModelRate {
  model: string;
  hour: number;
  /** Calls in that hour so far. */
  calls: number;
  /** Hours before in which it was called, and the running mean of calls in them. */
  hours: number;
  usual: number;
}

/** What was learned of a lane. */
export interface LaneProfile {
  /** Successful calls. */
  calls: number;
  /** Of successful calls, epoch milliseconds. */
  firstMs: number;
  lastMs: number;
  /** Values by {@link AT}; null where there is none. */
  tables: (ValueTable | null)[];
  hours: Hours;
  models: ModelRate[];
  /** When calls were refused lately, epoch milliseconds: for what they asked, and because the key was not accepted. */
  refusedMs: number[];
  failedLoginsMs: number[];
  /** When models were listed last, epoch milliseconds; 0 for never. */
  listedMs: number;
  /** Where the last call came from, and when, epoch milliseconds. */
  ip: string;
  ipMs: number;
  /** Rows since one carried the profile. */
  rowsSince: number;
}

/** What of a row the profile goes by. */
export type ProfiledRow = Pick<
  LedgerRow,
  | ('seen_at' | 'outcome' | 'status_code' | 'ip' | 'host' | 'user' | 'agent' | 'repo' | 'model' | 'environment')
  | ('operation' | 'action' | 'cost_nano_usd')
>;

/** What an event was in the light of the profile before it. One object serves all events. */
export interface Sight {
  /** Milliseconds since each dimension's value was seen last; Infinity for never, 0 where the event or the lane does not tell. */
  unseenMs: Float64Array;
  /** Milliseconds since the last successful call; Infinity when this is the first. */
  idleMs: number;
  /** Whether it came from another address than the call before. */
  moved: boolean;
  /** Where the call before came from. */
  fromIp: string;
  fromMs: number;
  /** Where it came from; null for private and unknown addresses. */
  place: Place | null;
  isSuccess: boolean;
  listsModels: boolean;
  /** Rate of the event's model; null without one. */
  rate: ModelRate | null;
}

export function createSight(): Sight {
  return {
    unseenMs: new Float64Array(PROFILED.length),
    idleMs: 0,
    moved: false,
    fromIp: '',
    fromMs: 0,
    place: null,
    isSuccess: false,
    listsModels: false,
    rate: null,
  };
}

export function newProfile(): LaneProfile {
  return {
    calls: 0,
    firstMs: Infinity,
    lastMs: -Infinity,
    tables: [null, null, null, null, null, null, null, null],
    hours: createHours(),
    models: [],
    refusedMs: [],
    failedLoginsMs: [],
    listedMs: 0,
    ip: '',
    ipMs: 0,
    rowsSince: 0,
  };
}

/**
 * Adds a row to the profile.
 * @param sight filled with what the row was in its light
 * @param intern one copy of a text that many lanes have
 */
export function learn(
  profile: LaneProfile,
  row: ProfiledRow,
  places: Places,
  sight: Sight,
  intern: (text: string) => string,
): void {
  profile.rowsSince++;
  const at = row.seen_at;
  sight.isSuccess = row.outcome === 'success';
  sight.listsModels = false;
  sight.moved = false;
  sight.rate = null;
  sight.place = null;
  if (!sight.isSuccess) {
    sight.unseenMs.fill(0);
    sight.idleMs = 0;
    if (row.outcome === 'denied') refuse(row.status_code === 401 ? profile.failedLoginsMs : profile.refusedMs, at);
    return;
  }
  const { tables } = profile;
  const endpoint = row.ip === '' ? row.host : row.ip;
  const place = row.ip === '' ? null : places.of(row.ip);
  sight.place = place;
  sight.idleMs = profile.calls === 0 ? Infinity : at - profile.lastMs;
  profile.calls++;
  if (at < profile.firstMs) profile.firstMs = at;
  if (at > profile.lastMs) profile.lastMs = at;
  note(tables, AT.endpoint, endpoint, at, sight, intern);
  note(tables, AT.network, place === null ? '' : place.network, at, sight, intern);
  note(tables, AT.country, place === null ? '' : place.country, at, sight, intern);
  note(tables, AT.user, row.user, at, sight, intern);
  note(tables, AT.agent, row.agent, at, sight, intern);
  note(tables, AT.repo, row.repo, at, sight, intern);
  note(tables, AT.model, row.model, at, sight, intern);
  note(tables, AT.environment, row.environment, at, sight, intern);
  if (place !== null && row.ip !== profile.ip) {
    sight.moved = profile.ip !== '';
    sight.fromIp = profile.ip;
    sight.fromMs = profile.ipMs;
    profile.ip = intern(row.ip);
    profile.ipMs = at;
  } else if (place !== null && at > profile.ipMs) profile.ipMs = at;
  countHour(profile, row, at);
  if (row.model !== '') sight.rate = rateOf(profile, row.model, hourOf(at), intern);
  if (row.model === '' && listsModels(row.operation)) {
    sight.listsModels = true;
    if (at > profile.listedMs) profile.listedMs = at;
  }
}

function note(
  tables: (ValueTable | null)[],
  dimension: number,
  value: string,
  at: number,
  sight: Sight,
  intern: (text: string) => string,
): void {
  if (value === '') {
    sight.unseenMs[dimension] = 0;
    return;
  }
  const table = (tables[dimension] ??= createValueTable());
  const index = indexOf(table, value);
  if (index !== -1) {
    sight.unseenMs[dimension] = Math.max(0, at - table.sights[index * 2 + 1]!);
    touch(table, index, at);
    return;
  }
  // Where new ones come all the time, one more is nothing new.
  sight.unseenMs[dimension] = forgottenUntil(table) > -Infinity ? 0 : Infinity;
  if (table.values.length < VALUES_MAX || makeRoom(table, value, at)) addValue(table, intern(value), at, at);
}

function refuse(times: number[], at: number): void {
  times.push(at);
  if (times.length > REFUSALS_MAX) times.shift();
}

function countHour({ hours, tables }: LaneProfile, row: ProfiledRow, at: number): void {
  const hour = hourOf(at);
  if (hour < hours.hour) return noteLate(hours, hour, row.cost_nano_usd);
  if (hour > hours.hour)
    closeHour(hours, hour, seenSince(tables[AT.network]!, hours.hour), seenSince(tables[AT.user]!, hours.hour));
  hours.calls++;
  hours.costNanoUsd += row.cost_nano_usd;
}

/** How many values of a table were seen since an hour began. */
export function seenSince(table: ValueTable | null, hour: number): number {
  if (table === null) return 0;
  const fromMs = hour * 3_600_000;
  let count = 0;
  for (let index = 0; index < table.values.length; index++) if (table.sights[index * 2 + 1]! >= fromMs) count++;
  return count;
}

/** How many values of a table were seen first since an hour began. */
export function firstSeenSince(table: ValueTable | null, hour: number): number {
  if (table === null) return 0;
  const fromMs = hour * 3_600_000;
  let count = 0;
  for (let index = 0; index < table.values.length; index++) if (table.sights[index * 2]! >= fromMs) count++;
  return count;
}

function rateOf(profile: LaneProfile, model: string, hour: number, intern: (text: string) => string): ModelRate | null {
  const { models } = profile;
  for (const rate of models) {
    if (rate.model !== model) continue;
    if (hour > rate.hour) {
      // The mean of the last hours: each counts for a tenth once there are ten.
      rate.hours++;
      rate.usual += (rate.calls - rate.usual) / Math.min(rate.hours, 10);
      rate.hour = hour;
      rate.calls = 0;
    }
    if (hour === rate.hour) rate.calls++;
    return rate;
  }
  if (models.length >= MODELS_MAX) return null;
  const rate = { model: intern(model), hour, calls: 1, hours: 0, usual: 0 };
  // A copy, because pushing would make room for many more.
  profile.models = models.concat([rate]);
  return rate;
}

const LISTS_MODELS = /(?:^|[\s/.:])(?:list[_-]?(?:foundation[_-]?)?models?|models?[._-]list|models\/?)$/i;
const OPERATIONS_MAX = 10_000;
const operations = new Map<string, boolean>();

/** Whether an operation is a list of models, whatever API it is of: `GET /v1/models`, `ListFoundationModels`, `models.list`. */
function listsModels(operation: string): boolean {
  if (operation === '') return false;
  const held = operations.get(operation);
  if (held !== undefined) return held;
  if (operations.size >= OPERATIONS_MAX) operations.clear();
  const lists = LISTS_MODELS.test(operation);
  operations.set(operation, lists);
  return lists;
}
