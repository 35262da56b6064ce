import { createHash } from 'node:crypto';
import { canonicalFingerprint, fingerprintOf, isFingerprint } from '../../contract/fingerprint.ts';
import { hintOf, providerOfKey } from '../../contract/hint.ts';
import {
  ACTIONS,
  COST_BASES,
  CREDENTIAL_KINDS,
  type Flag,
  LATENCY_MS_MAX,
  OUTCOMES,
  TEXT_LIMITS,
  TIME_FUTURE_FLAG_MS,
  TIME_MAX_MS,
  TIME_MIN_MS,
  TIME_PAST_FLAG_MS,
  type UsageEvent,
  type UsageEventInput,
} from '../../contract/usage-event.ts';
import { canonicalAddress } from '../auth/address.ts';
import { redactSecrets, wholeApiKey, withoutUserinfo } from '../redact/redact.ts';
import { nanoDollarsOfNumber, nanoDollarsOfText } from './cost.ts';
import { estimateNanoDollars } from './estimate.ts';
import { readHint } from './hint.ts';
import { failureOf } from './outcome.ts';
import { cleanText, cut, type TextTally } from './text.ts';
import { parseTime } from './time.ts';

export interface NormaliseOptions {
  /** Epoch milliseconds. */
  receivedAt: number;
  /** Credential id of the collector; '' for a producer of its own. */
  collector: string;
  /**
   * What to do with a fingerprint that is none: refuse the event, so that the sender learns of it, or drop the fingerprint and
   * flag the event, where the sender cannot act on an answer. Default `reject`.
   */
  invalidFingerprint?: 'reject' | 'drop';
}

/** One thing that is wrong with an event. Never repeats the value: it could be a secret. */
export interface EventFault {
  path: string;
  message: string;
}

export type NormaliseResult =
  | {
      ok: true;
      event: UsageEvent;
      /** Fields that the contract does not know, left out. */
      droppedFields: number;
      /** Secrets replaced by their hints, including a raw key in the credential's own fields. */
      redactions: number;
    }
  | { ok: false; errors: EventFault[] };

/** 64 bits, as many as the detector compares. */
const IDENTITY_HASH_CHARS = 16;

/** Faults reported per event at most; a sender who sees 16 has a wrong format, not 17 mistakes. */
const FAULTS_MAX = 16;

/** Any value may stand in any field until it was looked at. */
type Unchecked<T> = { [K in keyof T]?: unknown };

/** The state of one normalisation. Plain data in a closure-free shape, because this runs for every event. */
interface Pass extends TextTally {
  faults: EventFault[];
  /** Known fields that were present, to tell the unknown ones by subtraction instead of looking each name up. */
  seen: number;
}

function fault(pass: Pass, path: string, message: string): void {
  if (pass.faults.length < FAULTS_MAX) pass.faults.push({ path, message });
}

/** null means absent, as in CloudEvents and as Python clients write it. */
function isAbsent(pass: Pass, value: unknown): value is undefined | null {
  if (value === undefined) return true;
  pass.seen++;
  return value === null;
}

function text(pass: Pass, path: string, value: unknown, limit: number): string {
  if (isAbsent(pass, value)) return '';
  if (typeof value === 'string') return cleanText(value, limit, pass);
  fault(pass, path, 'must be a text');
  return '';
}

function identity(pass: Pass, path: string, value: unknown, limit: number): string {
  if (isAbsent(pass, value)) {
    fault(pass, path, `is required: with source and id an event is told from every other for ever`);
    return '';
  }
  if (typeof value !== 'string') fault(pass, path, 'must be a text');
  else if (value === '') fault(pass, path, 'must not be empty');
  else if (value.length > limit) fault(pass, path, `must have at most ${limit} characters; an identity is never cut`);
  else return cleanIdentity(value, limit, pass);
  return '';
}

/**
 * An identity that had to be changed (a secret in it, a control character, a lone surrogate) gets part of its hash, so that two
 * identities do not become one.
 */
function cleanIdentity(value: string, limit: number, pass: Pass): string {
  const clean = cleanText(value, limit, pass);
  if (clean === value) return clean;
  // Over UTF-16, because in UTF-8 all lone surrogates are the same.
  const hash = createHash('sha256').update(value, 'utf16le').digest('hex').slice(0, IDENTITY_HASH_CHARS);
  return `${cut(clean, limit - IDENTITY_HASH_CHARS - 1)}~${hash}`;
}

function whole(pass: Pass, path: string, value: unknown, max: number): number {
  if (isAbsent(pass, value)) return 0;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max) return value + 0;
  fault(pass, path, `must be a whole number from 0 to ${max}`);
  return 0;
}

function oneOf<T extends string>(pass: Pass, path: string, value: unknown, allowed: readonly T[]): T | null {
  if (isAbsent(pass, value)) return null;
  for (const option of allowed) if (value === option) return option;
  fault(pass, path, `must be one of ${allowed.join(', ')}`);
  return null;
}

const NOTHING: Record<string, never> = Object.freeze({});

function group<T>(pass: Pass, path: string, value: unknown): Unchecked<T> {
  if (isAbsent(pass, value)) return NOTHING;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Unchecked<T>;
  fault(pass, path, 'must be an object');
  return NOTHING;
}

/** Fields present that were not asked for, of an object whose known fields raised `pass.seen` from `seenBefore`. */
function unknownFields(object: object, pass: Pass, seenBefore: number): number {
  const known = pass.seen - seenBefore;
  const present = Object.keys(object).length;
  // A field that our own mappers set to undefined was not sent.
  return present === known ? 0 : Object.values(object).filter((value) => value !== undefined).length - known;
}

function latency(pass: Pass, value: unknown): number {
  if (isAbsent(pass, value)) return 0;
  if (typeof value === 'number' && value >= 0 && value <= LATENCY_MS_MAX) return Math.round(value);
  fault(pass, 'latency_ms', `must be a number from 0 to ${LATENCY_MS_MAX}`);
  return 0;
}

function cost(pass: Pass, value: unknown): number | null {
  if (isAbsent(pass, value)) return null;
  const nano =
    typeof value === 'number'
      ? nanoDollarsOfNumber(value)
      : typeof value === 'string'
        ? nanoDollarsOfText(value)
        : null;
  if (nano === null) {
    fault(
      pass,
      'cost_usd',
      'must be an amount in dollars from 0 to 9000000, as number or decimal text with at most 9 places',
    );
  }
  return nano;
}

function instant(pass: Pass, value: unknown): number {
  if (isAbsent(pass, value)) {
    fault(pass, 'time', 'is required: when it happened, such as 2026-11-20T23:14:34.576Z');
    return 0;
  }
  const time = typeof value === 'string' ? parseTime(value) : null;
  if (time === null) fault(pass, 'time', 'must be RFC 3339 with a zone, such as 2026-11-20T23:14:34.576Z');
  return time ?? 0;
}

interface Credential {
  fingerprint: string;
  hint: string;
  provider: string;
  kind: UsageEvent['credential_kind'] | null;
}

/**
 * The credential as named by the event. A raw key in any of its fields never goes further: it becomes fingerprint and hint here.
 */
function credential(
  pass: Pass,
  value: unknown,
  flags: Flag[],
  options: NormaliseOptions,
): Credential & { dropped: number } {
  const input = group<NonNullable<UsageEventInput['credential']>>(pass, 'credential', value);
  const seenBefore = pass.seen;
  let fingerprint = '';
  let hint = '';
  let rawKey: string | null = null;

  const givenFingerprint = rawText(pass, 'credential.fingerprint', input.fingerprint);
  if (givenFingerprint !== '') {
    if (isFingerprint(givenFingerprint)) fingerprint = givenFingerprint;
    else {
      rawKey = wholeApiKey(givenFingerprint);
      fingerprint = rawKey === null ? (canonicalFingerprint(givenFingerprint) ?? '') : fingerprintOf(rawKey);
      if (fingerprint === '') refuseFingerprint(pass, flags, options);
    }
  }
  const givenHint = rawText(pass, 'credential.hint', input.hint);
  if (givenHint !== '') {
    const read = readHint(givenHint, pass);
    hint = read.hint;
    rawKey ??= read.rawKey;
    if (fingerprint === '') fingerprint = read.rawKey === null ? read.fingerprint : fingerprintOf(read.rawKey);
  }
  if (rawKey !== null) {
    flags.push('raw_key_hashed');
    pass.redactions++;
    if (hint === '') hint = hintOf(rawKey);
  }
  const provider = text(pass, 'credential.provider', input.provider, TEXT_LIMITS.credential_provider);
  const kind = oneOf(pass, 'credential.kind', input.kind, CREDENTIAL_KINDS);
  return {
    fingerprint,
    hint,
    provider: provider === '' && hint !== '' ? providerOfKey(hint) : provider,
    kind,
    dropped: input === NOTHING ? 0 : unknownFields(input, pass, seenBefore),
  };
}

function rawText(pass: Pass, path: string, value: unknown): string {
  if (isAbsent(pass, value)) return '';
  if (typeof value === 'string') return value;
  fault(pass, path, 'must be a text');
  return '';
}

function refuseFingerprint(pass: Pass, flags: Flag[], options: NormaliseOptions): void {
  if (options.invalidFingerprint === 'drop') flags.push('fingerprint_invalid');
  else fault(pass, 'credential.fingerprint', 'must be the SHA-256 of the key as 64 hexadecimal digits, or be left out');
}

/**
 * Turns what a sender sent into a usage event, or says what is wrong with it. Takes any value, never throws, keeps no secret:
 * every kept text is scanned, every other field is left out and counted.
 */
export function normaliseUsageEvent(value: unknown, options: NormaliseOptions): NormaliseResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, errors: [{ path: '', message: 'an event must be a JSON object' }] };
  }
  const input = value as Unchecked<UsageEventInput>;
  const pass: Pass = { faults: [], seen: 0, redactions: 0, truncated: false };
  const flags: Flag[] = [];

  const source = identity(pass, 'source', input.source, TEXT_LIMITS.source);
  const id = identity(pass, 'id', input.id, TEXT_LIMITS.id);
  const reportedTime = instant(pass, input.time);
  // What the groups see is subtracted again, because it says nothing about the fields of the event itself.
  let seenInside = pass.seen;
  const lane = credential(pass, input.credential, flags, options);
  const hasCredential = input.credential !== undefined ? 1 : 0;
  seenInside = pass.seen - seenInside - hasCredential;
  let dropped = lane.dropped;

  const agentInput = group<NonNullable<UsageEventInput['agent']>>(pass, 'agent', input.agent);
  let before = pass.seen;
  const agent = text(pass, 'agent.name', agentInput.name, TEXT_LIMITS.agent);
  const agentVersion = text(pass, 'agent.version', agentInput.version, TEXT_LIMITS.agent_version);
  if (agentInput !== NOTHING) dropped += unknownFields(agentInput, pass, before);
  seenInside += pass.seen - before;

  const tokensInput = group<NonNullable<UsageEventInput['tokens']>>(pass, 'tokens', input.tokens);
  before = pass.seen;
  const inputUncached = whole(pass, 'tokens.input_uncached', tokensInput.input_uncached, Number.MAX_SAFE_INTEGER);
  const cacheRead = whole(pass, 'tokens.cache_read', tokensInput.cache_read, Number.MAX_SAFE_INTEGER);
  const cacheWrite = whole(pass, 'tokens.cache_write', tokensInput.cache_write, Number.MAX_SAFE_INTEGER);
  const output = whole(pass, 'tokens.output', tokensInput.output, Number.MAX_SAFE_INTEGER);
  if (tokensInput !== NOTHING) dropped += unknownFields(tokensInput, pass, before);
  seenInside += pass.seen - before;

  const reportedCost = cost(pass, input.cost_usd);
  const reportedBasis = oneOf(pass, 'cost_basis', input.cost_basis, COST_BASES);
  const statusCode = whole(pass, 'status_code', input.status_code, 999);
  const outcome = oneOf(pass, 'outcome', input.outcome, OUTCOMES);
  const action = oneOf(pass, 'action', input.action, ACTIONS);

  const event: UsageEvent = {
    source,
    id,
    time: reportedTime,
    received_at: options.receivedAt,
    fingerprint: lane.fingerprint,
    hint: lane.hint,
    credential_provider: lane.provider,
    credential_kind: lane.kind ?? (lane.fingerprint !== '' || lane.hint !== '' ? 'api_key' : 'none'),
    org: text(pass, 'org', input.org, TEXT_LIMITS.org),
    user: text(pass, 'user', input.user, TEXT_LIMITS.user),
    ip: canonicalAddress(text(pass, 'ip', input.ip, TEXT_LIMITS.ip)),
    host: text(pass, 'host', input.host, TEXT_LIMITS.host),
    agent,
    agent_version: agentVersion,
    session: text(pass, 'session', input.session, TEXT_LIMITS.session),
    request_id: text(pass, 'request_id', input.request_id, TEXT_LIMITS.request_id),
    repo: repository(pass, input.repo),
    branch: text(pass, 'branch', input.branch, TEXT_LIMITS.branch),
    provider: text(pass, 'provider', input.provider, TEXT_LIMITS.provider),
    model: text(pass, 'model', input.model, TEXT_LIMITS.model),
    module: text(pass, 'module', input.module, TEXT_LIMITS.module),
    environment: text(pass, 'environment', input.environment, TEXT_LIMITS.environment),
    action: action ?? 'execution',
    operation: text(pass, 'operation', input.operation, TEXT_LIMITS.operation),
    outcome: outcome ?? (statusCode >= 400 ? failureOf(statusCode) : 'success'),
    status_code: statusCode,
    tokens_input_uncached: inputUncached,
    tokens_cache_read: cacheRead,
    tokens_cache_write: cacheWrite,
    tokens_output: output,
    cost_nano_usd: reportedCost ?? 0,
    cost_basis: reportedCost === null ? 'none' : reportedBasis === 'estimated' ? 'estimated' : 'reported',
    latency_ms: latency(pass, input.latency_ms),
    collector: options.collector,
    flags,
  };
  if (pass.faults.length > 0) return { ok: false, errors: pass.faults };

  dropped += unknownFields(input, pass, seenInside);
  if (reportedCost === null) estimateCost(event);
  placeInTime(event);
  if (pass.truncated) flags.push('truncated');
  if (pass.redactions > (flags.includes('raw_key_hashed') ? 1 : 0)) flags.push('redacted');
  return { ok: true, event, droppedFields: dropped, redactions: pass.redactions };
}

function repository(pass: Pass, value: unknown): string {
  const stripped = typeof value === 'string' ? withoutUserinfo(value) : value;
  if (stripped !== value) pass.redactions++;
  return text(pass, 'repo', stripped, TEXT_LIMITS.repo);
}

function estimateCost(event: UsageEvent): void {
  if (event.model === '') return;
  const tokens = {
    input_uncached: event.tokens_input_uncached,
    cache_read: event.tokens_cache_read,
    cache_write: event.tokens_cache_write,
    output: event.tokens_output,
  };
  if (tokens.input_uncached + tokens.cache_read + tokens.cache_write + tokens.output === 0) return;
  const nano = estimateNanoDollars(event.provider, event.model, tokens, event.time);
  if (nano === null) return;
  event.cost_nano_usd = nano;
  event.cost_basis = 'estimated';
}

/** Notes a time that is far from receipt and moves one that the ledger cannot hold to the edge of what it can. */
function placeInTime(event: UsageEvent): void {
  const { time, received_at: receivedAt, flags } = event;
  if (time < receivedAt - TIME_PAST_FLAG_MS) flags.push('time_past');
  else if (time > receivedAt + TIME_FUTURE_FLAG_MS) flags.push('time_future');
  if (time >= TIME_MIN_MS && time <= TIME_MAX_MS) return;
  event.time = time < TIME_MIN_MS ? TIME_MIN_MS : TIME_MAX_MS;
  flags.push('time_clamped');
}

/** For a text that is not part of an event but is shown or logged: the same scan. */
export function withoutSecrets(text: string): string {
  return redactSecrets(text, { redactions: 0 });
}
