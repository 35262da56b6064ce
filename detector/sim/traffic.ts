import type { CredentialRecord, UsageEvent } from '@lanewatch/ingest/contract';
import type { Random } from './random.ts';

/** What the simulation puts out, in the order in which Lanewatch would receive it. */
export type SimItem =
  | { kind: 'event'; atMs: number; event: UsageEvent }
  /** A record of the credentials topic, as the registry would publish it at this time. */
  | { kind: 'record'; atMs: number; record: CredentialRecord };

/** US dollars per million tokens, in the shape of published price lists. */
const PRICES = {
  'claude-sonnet-4-6': { provider: 'anthropic', input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
  'claude-opus-4-6': { provider: 'anthropic', input: 5, cacheRead: 0.5, cacheWrite: 6.25, output: 25 },
  'claude-haiku-4-5': { provider: 'anthropic', input: 1, cacheRead: 0.1, cacheWrite: 1.25, output: 5 },
  'gpt-5.1-codex': { provider: 'openai', input: 1.25, cacheRead: 0.125, cacheWrite: 0, output: 10 },
  'gpt-5-mini': { provider: 'openai', input: 0.25, cacheRead: 0.025, cacheWrite: 0, output: 2 },
  'gemini-2.5-pro': { provider: 'google', input: 1.25, cacheRead: 0.125, cacheWrite: 0, output: 10 },
} as const;
export type Model = keyof typeof PRICES;

/** Who ships events, and how long theirs take to arrive: agents send batches by a timer, proxies at once. */
export const COLLECTORS = {
  'agents-eu': { delayMs: 2_500, reporter: 'agent' },
  'agents-us': { delayMs: 2_500, reporter: 'agent' },
  ci: { delayMs: 2_500, reporter: 'agent' },
  gateway: { delayMs: 250, reporter: 'proxy' },
} as const;
export type Collector = keyof typeof COLLECTORS;

/** What one request of a model carries that its maker decides. */
export interface Call {
  atMs: number;
  fingerprint: string;
  hint: string;
  org: string;
  model: Model;
  agent: string;
  agentVersion?: string;
  collector: Collector;
  environment: string;
  user?: string;
  ip?: string;
  host?: string;
  session?: string;
  repo?: string;
  branch?: string;
  /** How much larger than an ordinary request it is. */
  size?: number;
  outcome?: UsageEvent['outcome'];
  /** A list of models instead of a request to one. */
  listsModels?: boolean;
}

/** Makes usage events with tokens, cost, delay and identity from what a caller decides. One per source of traffic. */
export type MakeEvent = (call: Call) => SimItem & { kind: 'event' };

/** @param source names the events; each gets a number within it */
export function eventMaker(source: string, random: Random): MakeEvent {
  let number = 0;
  return (call) => {
    const price = PRICES[call.model];
    const { delayMs, reporter } = COLLECTORS[call.collector];
    const outcome =
      call.outcome ?? (random.chance(0.008) ? 'failed' : random.chance(0.004) ? 'rate_limited' : 'success');
    const counts = outcome === 'success' && call.listsModels !== true;
    const size = call.size ?? 1;
    const tokens = {
      input: counts ? Math.round(random.spread(900 * size, 0.8)) : 0,
      cacheRead: counts ? Math.round(random.spread(28_000 * size, 0.7)) : 0,
      cacheWrite: counts && price.cacheWrite > 0 ? Math.round(random.spread(1_600 * size, 0.7)) : 0,
      output: counts ? Math.round(random.spread(420 * size, 0.8)) : 0,
    };
    const nanoUsd =
      1000 *
      (tokens.input * price.input +
        tokens.cacheRead * price.cacheRead +
        tokens.cacheWrite * price.cacheWrite +
        tokens.output * price.output);
    const time = Math.floor(call.atMs);
    const receivedAt = time + Math.max(40, Math.round(random.spread(delayMs, 0.5)));
    const event: UsageEvent = {
      source: `sim/${source}`,
      id: String(++number),
      time,
      received_at: receivedAt,
      fingerprint: call.fingerprint,
      hint: call.hint,
      credential_provider: price.provider,
      credential_kind: 'api_key',
      org: call.org,
      user: call.user ?? '',
      ip: call.ip ?? '',
      host: call.host ?? '',
      agent: call.agent,
      agent_version: call.agentVersion ?? '',
      session: call.session ?? '',
      request_id: '',
      repo: call.repo ?? '',
      branch: call.branch ?? '',
      provider: price.provider,
      model: call.listsModels === true ? '' : call.model,
      module: '',
      environment: call.environment,
      action: call.listsModels === true ? 'access' : 'execution',
      operation: call.listsModels === true ? 'GET /v1/models' : 'messages',
      outcome,
      status_code: STATUS_CODES[outcome],
      tokens_input_uncached: tokens.input,
      tokens_cache_read: tokens.cacheRead,
      tokens_cache_write: tokens.cacheWrite,
      tokens_output: tokens.output,
      cost_nano_usd: Math.round(nanoUsd),
      cost_basis: counts ? 'estimated' : 'none',
      latency_ms: Math.round(random.spread(4_000, 0.7)),
      collector: `collector-${call.collector}`,
      flags: [],
      served_by: '',
      reporter,
      sent_as: '',
      response_id: '',
      rate_limits: '',
    };
    return { kind: 'event', atMs: receivedAt, event };
  };
}

const STATUS_CODES = { success: 200, failed: 500, denied: 401, rate_limited: 429 } as const;
