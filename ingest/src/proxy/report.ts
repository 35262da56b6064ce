import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { UsageEvent, UsageEventInput } from '../../contract/index.ts';
import { actionOf, pathOf, SESSION_HEADERS, statusOrNone } from '../formats/access-log.ts';
import { latencyOrNone } from '../formats/latency.ts';
import { tokensOfUsage } from '../formats/provider-usage.ts';
import { failureOf } from '../normalise/outcome.ts';
import { normaliseUsageEvent } from '../normalise/normalise.ts';
import type { Violation } from './allowlist.ts';
import type { Metered } from './meter.ts';
import type { PresentedKey } from './presented-key.ts';
import { rateLimitsIn } from './rate-limits.ts';

/** The collector that the proxy's events are of: it ships its own, with no key. */
export const PROXY_COLLECTOR = 'observing-proxy';

/** Headers in which clients tell the proxy what no provider asks; they go no further. */
export const FACT_HEADERS = {
  user: 'x-lanewatch-user',
  org: 'x-lanewatch-org',
  repo: 'x-lanewatch-repo',
  branch: 'x-lanewatch-branch',
  module: 'x-lanewatch-module',
  environment: 'x-lanewatch-environment',
} as const;

const REQUEST_ID_HEADERS = ['request-id', 'x-request-id', 'x-goog-request-id'];

/** A request and its answer, as the proxy saw them. */
export interface Exchange {
  provider: string;
  method: string;
  /** Path and query as asked; the query may hold a key and is not reported. */
  target: string;
  headers: IncomingHttpHeaders;
  key: PresentedKey;
  /** Canonical. */
  address: string;
  startedAt: number;
  endedAt: number;
  /** 0 when there was no answer. */
  status: number;
  answerHeaders: IncomingHttpHeaders;
  metered: Metered;
  /** Whether the proxy refused it, the provider was not reached, or the answer was cut. */
  broken: boolean;
  /** What it breaks of the policy on requests. */
  violation: Violation | null;
}

/** The usage event of an exchange; null when it cannot be one, which only a fault of this code could cause. */
export function eventOf(exchange: Exchange): UsageEvent | null {
  const options = { receivedAt: exchange.endedAt, collector: PROXY_COLLECTOR };
  const result = normaliseUsageEvent(inputOf(exchange), options);
  if (!result.ok) return null;
  if (exchange.violation !== null)
    result.event.flags.push(exchange.violation.isRefused ? 'refused_by_policy' : 'would_be_refused');
  return result.event;
}

function inputOf(exchange: Exchange): UsageEventInput {
  const { provider, method, headers, key, status, startedAt, endedAt, metered } = exchange;
  const path = pathOf(exchange.target) ?? '';
  const fact = (name: keyof typeof FACT_HEADERS) => single(headers[FACT_HEADERS[name]]);
  const tokens = metered.usage === undefined ? undefined : tokensOfUsage(metered.usage);
  const failed = exchange.broken || status >= 400;
  return {
    source: `proxy/${provider}`,
    id: randomUUID(),
    time: new Date(endedAt).toISOString(),
    credential: { provider, ...key },
    org: fact('org') ?? single(exchange.answerHeaders['openai-organization']),
    user: fact('user'),
    ip: exchange.address,
    agent: { name: single(headers['user-agent']) },
    session: firstOf(headers, SESSION_HEADERS),
    request_id: firstOf(exchange.answerHeaders, REQUEST_ID_HEADERS),
    response_id: metered.id,
    repo: fact('repo'),
    branch: fact('branch'),
    module: fact('module'),
    environment: fact('environment'),
    provider,
    model: metered.model ?? modelIn(path),
    action: method === 'POST' ? actionOf(path) : 'access',
    operation: `${method} ${withoutIds(path)}`.slice(0, 128),
    outcome: failed ? failureOf(status) : 'success',
    status_code: statusOrNone(status),
    ...(tokens === undefined ? {} : { tokens: tokens as NonNullable<UsageEventInput['tokens']> }),
    latency_ms: latencyOrNone(endedAt - startedAt),
    reporter: 'proxy',
    rate_limits: rateLimitsIn(exchange.answerHeaders, endedAt),
  };
}

const single = (header: string | string[] | undefined) => (Array.isArray(header) ? header[0] : header);

function firstOf(headers: IncomingHttpHeaders, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = single(headers[name]);
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

/** Google and Azure name the model in the path. */
const modelIn = (path: string) => /\/(?:models|deployments)\/([^/:]+)[:/]/.exec(path)?.[1];

/** `/v1/files/file_011CNha8` is one operation for all files. */
const withoutIds = (path: string) =>
  path.replace(/\/(?=[^/:]*\d)[^/:]{16,}(?=\/|$)/g, '/{id}').replace(/\/[a-z]+_[A-Za-z0-9]{8,}(?=\/|:|$)/g, '/{id}');
