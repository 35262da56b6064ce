import {
  ACTIONS,
  COST_BASES,
  type Flag,
  OUTCOMES,
  REPORTERS,
  TEXT_LIMITS,
  TIME_FUTURE_FLAG_MS,
  TIME_MAX_MS,
  TIME_MIN_MS,
  TIME_PAST_FLAG_MS,
  type UsageEvent,
  type UsageEventInput,
} from '../../contract/usage-event.ts';
import { redactSecrets, withoutUserinfo } from '../redact/redact.ts';
import { canonicalNames } from './canonical/index.ts';
import { credential, type NormaliseOptions } from './credential.ts';
import { nanoDollarsOfNumber, nanoDollarsOfText } from './cost.ts';
import { estimateNanoDollars } from './estimate.ts';
import {
  type EventFault,
  fault,
  group,
  identity,
  isAbsent,
  latency,
  NOTHING,
  oneOf,
  type Pass,
  rawText,
  text,
  type Unchecked,
  unknownFields,
  whole,
} from './fields.ts';
import { failureOf } from './outcome.ts';
import { rateLimits } from './rate-limits.ts';
import { parseTime } from './time.ts';

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
  const agent = rawText(pass, 'agent.name', agentInput.name);
  const agentVersion = rawText(pass, 'agent.version', agentInput.version);
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

  const limits = rateLimits(pass, input.rate_limits);
  dropped += limits.dropped;
  seenInside += limits.seenInside;

  const reportedCost = cost(pass, input.cost_usd);
  const reportedBasis = oneOf(pass, 'cost_basis', input.cost_basis, COST_BASES);
  const statusCode = whole(pass, 'status_code', input.status_code, 999);
  const outcome = oneOf(pass, 'outcome', input.outcome, OUTCOMES);
  const action = oneOf(pass, 'action', input.action, ACTIONS);

  const names = canonicalNames(
    {
      user: rawText(pass, 'user', input.user),
      ip: rawText(pass, 'ip', input.ip),
      host: rawText(pass, 'host', input.host),
      agent,
      agent_version: agentVersion,
      repo: repository(pass, input.repo),
      provider: rawText(pass, 'provider', input.provider),
      served_by: rawText(pass, 'served_by', input.served_by),
      model: rawText(pass, 'model', input.model),
    },
    pass,
  );

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
    user: names.user,
    ip: names.ip,
    host: names.host,
    agent: names.agent,
    agent_version: names.agent_version,
    session: text(pass, 'session', input.session, TEXT_LIMITS.session),
    request_id: text(pass, 'request_id', input.request_id, TEXT_LIMITS.request_id),
    repo: names.repo,
    branch: text(pass, 'branch', input.branch, TEXT_LIMITS.branch),
    provider: names.provider,
    model: names.model,
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
    served_by: names.served_by,
    reporter: oneOf(pass, 'reporter', input.reporter, REPORTERS) ?? '',
    sent_as: names.sent_as,
    response_id: text(pass, 'response_id', input.response_id, TEXT_LIMITS.response_id),
    rate_limits: limits.json,
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
  const given = rawText(pass, 'repo', value);
  const stripped = withoutUserinfo(given);
  if (stripped !== given) pass.redactions++;
  return stripped;
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
  const nano = estimateNanoDollars(event, tokens, event.time);
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
