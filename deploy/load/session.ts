import type { UsageEventInput } from '@lanewatch/ingest/contract';
import type { Key, Person } from './key.ts';
import { costNanoUsd, dollarsText, providerOf, type Model, type Tokens } from './prices.ts';
import type { Random } from './random.ts';

/** One request of a run, before it is written as an event. */
export interface Request {
  time: number;
  model: Model;
  tokens: Tokens;
  costNanoUsd: number;
  outcome: 'success' | 'failed' | 'rate_limited';
  statusCode: number;
  latencyMs: number;
}

export interface Run {
  /** Unique within the organisation. */
  name: string;
  session: string;
  person: Person | null;
  repo: string;
  branch: string;
  requests: Request[];
}

const BRANCHES = ['main', 'main', 'develop', 'fix/timeouts', 'feature/import', 'release'];
const FAILURES = [
  { outcome: 'failed', statusCode: 500 },
  { outcome: 'failed', statusCode: 529 },
  { outcome: 'rate_limited', statusCode: 429 },
] as const;

/**
 * A run as coding agents have them: the context grows from request to request and is read from the cache, what is new is
 * written to it, and now and then a request fails.
 */
export function runOf(random: Random, key: Key, name: string, startMs: number): Run {
  const count = Math.max(1, Math.round(random.around(key.requestsPerSession, 0.6)));
  const requests: Request[] = [];
  let time = startMs;
  let context = random.around(12_000, 0.5);
  for (let index = 0; index < count; index += 1) {
    const model = index > 0 && random.chance(0.2) ? key.models.at(-1)! : key.models[0]!;
    const added = random.around(1_800, 0.9);
    const failure = random.chance(0.015) ? random.pick(FAILURES) : null;
    const tokens: Tokens = failure
      ? { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0 }
      : {
          input_uncached: Math.round(random.around(350, 1)),
          cache_read: index === 0 ? 0 : Math.round(context),
          cache_write: Math.round(index === 0 ? context : added),
          output: Math.round(random.around(420, 0.8)),
        };
    requests.push({
      time: Math.round(time),
      model,
      tokens,
      costNanoUsd: costNanoUsd(model, tokens),
      outcome: failure?.outcome ?? 'success',
      statusCode: failure?.statusCode ?? 200,
      latencyMs: Math.round(random.around(600, 0.4) + tokens.output * 12),
    });
    context = Math.min(180_000, context + added);
    time += random.around(key.aroundTheClock ? 6_000 : 35_000, 0.8);
  }
  return {
    name,
    session: uuidOf(random),
    person: key.people.length === 0 ? null : random.pick(key.people),
    repo: random.pick(key.repos),
    branch: random.pick(BRANCHES),
    requests,
  };
}

/** The run with its token counts scaled so that its requests together cost exactly this. */
export function withCost(run: Run, totalNanoUsd: number): Run {
  const sum = run.requests.reduce((total, { costNanoUsd: cost }) => total + cost, 0);
  const scale = sum === 0 ? 0 : totalNanoUsd / sum;
  let left = totalNanoUsd;
  const requests = run.requests.map((request, index) => {
    const { input_uncached, cache_read, cache_write, output } = request.tokens;
    const tokens = {
      input_uncached: Math.floor(input_uncached * scale),
      cache_read: Math.floor(cache_read * scale),
      cache_write: Math.floor(cache_write * scale),
      output: Math.floor(output * scale),
    };
    const last = index === run.requests.length - 1;
    // Rounding whole tokens leaves a fraction of a cent; the last request carries it.
    const cost = last ? left : costNanoUsd(request.model, tokens);
    left -= cost;
    return { ...request, tokens, costNanoUsd: cost };
  });
  return { ...run, requests };
}

/** The events of a run as a collector sends them. */
export function eventsOf(seed: number, key: Key, run: Run): UsageEventInput[] {
  return run.requests.map((request, index) => ({
    source: `urn:invented:${seed}:${key.agent.name.toLowerCase().replaceAll(' ', '-')}`,
    id: `${run.name}-${index}`,
    time: new Date(request.time).toISOString(),
    credential: {
      ...(key.identifiedBy === 'fingerprint' ? { fingerprint: key.fingerprint } : {}),
      hint: key.hint,
      provider: providerOf(key.models[0]!),
      kind: 'api_key',
    },
    ...(key.org === '' ? {} : { org: key.org }),
    ...(run.person ? { user: run.person.email, ip: run.person.ip } : {}),
    ...(run.person?.host ? { host: run.person.host } : {}),
    agent: key.agent,
    session: run.session,
    request_id: `req_${run.name.replaceAll(/\W/g, '')}${index}`,
    repo: run.repo,
    branch: run.branch,
    provider: providerOf(request.model),
    model: request.model,
    environment: key.environment,
    action: 'execution',
    operation: 'chat',
    outcome: request.outcome,
    status_code: request.statusCode,
    tokens: request.tokens,
    cost_usd: dollarsText(request.costNanoUsd),
    cost_basis: 'reported',
    latency_ms: request.latencyMs,
  }));
}

function uuidOf(random: Random): string {
  return `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-${random.pick(['8', '9', 'a', 'b'])}${random.hex(3)}-${random.hex(12)}`;
}
