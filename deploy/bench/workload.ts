import { fingerprintOf, hintOf, type CredentialRecord, type UsageEvent } from '@lanewatch/ingest/contract';
import { createRandom } from '../measuring/random.ts';

export interface WorkloadOptions {
  events: number;
  /** Distinct keys; people, repositories and sessions follow from them. */
  keys: number;
  /** Epoch milliseconds of the last event. */
  endMs: number;
}

const MODELS = ['claude-sonnet-4-5', 'claude-opus-4-5', 'gpt-5.1-codex', 'gemini-2.5-pro', 'claude-haiku-4-5'];
const AGENTS = ['claude-code', 'codex_cli_rs', 'gemini-cli', 'litellm'];
/** How many events in a row a session sends before the key's next session begins. */
const EVENTS_PER_SESSION = 40;

/**
 * Usage events shaped like a day of coding agents: ids that never repeat, sessions of a few dozen requests, a few people and
 * repositories per key, token counts of every size. The same options give the same events.
 */
export function* workload({ events, keys, endMs }: WorkloadOptions): Generator<UsageEvent> {
  const random = createRandom(keys * 31 + events).fraction;
  const pool = Array.from({ length: keys }, (_, key) => ({ ...keyOf(key), sent: 0, session: 0 }));
  for (let index = 0; index < events; index++) {
    // Squared, so that some keys are busy and many are not, as in life.
    const key = Math.floor(random() ** 2 * keys);
    const own = pool[key]!;
    if (own.sent++ % EVENTS_PER_SESSION === 0) own.session++;
    const person = (key * 7 + (own.session % 3)) % 997;
    const output = Math.floor(random() * 2000);
    const time = endMs - (events - index);
    yield {
      source: 'claude-code',
      id: fingerprintOf(`event ${index}`),
      time,
      received_at: time + 250,
      fingerprint: own.fingerprint,
      hint: own.hint,
      credential_provider: 'anthropic',
      credential_kind: 'api_key',
      org: `org-${key % 5}`,
      user: `person${person}@acme.example`,
      ip: `10.${key % 40}.${person % 250}.${own.session % 4}`,
      host: '',
      agent: AGENTS[key % AGENTS.length]!,
      agent_version: `2.1.${200 + (key % 40)}`,
      session: `${own.fingerprint.slice(0, 8)}-4af2-473a-83a6-${String(own.session).padStart(12, '0')}`,
      request_id: `req_${own.fingerprint.slice(0, 12)}${index}`,
      repo: `acme/service-${key % 60}`,
      branch: own.session % 4 === 0 ? `feature/${own.session}` : 'main',
      provider: 'anthropic',
      model: MODELS[(key + own.session) % MODELS.length]!,
      module: '',
      environment: key % 3 === 0 ? 'production' : 'development',
      action: 'execution',
      operation: 'api_request',
      outcome: output % 50 === 0 ? 'failed' : 'success',
      status_code: output % 50 === 0 ? 529 : 200,
      tokens_input_uncached: Math.floor(random() * 500),
      tokens_cache_read: Math.floor(random() * 90_000),
      tokens_cache_write: Math.floor(random() * 5_000),
      tokens_output: output,
      cost_nano_usd: output * 15_000 + Math.floor(random() * 30_000_000),
      cost_basis: 'reported',
      latency_ms: 300 + output * 9,
      collector: 'cred_bench',
      flags: [],
      served_by: '',
      reporter: 'agent',
      sent_as: '',
      response_id: '',
      rate_limits: '',
    };
  }
}

/** One key in this many is not in the registry. */
const UNREGISTERED_EVERY = 20;

/** The registry of the organisation: most keys are registered, for the few people who use them; some are not. */
export function* registeredKeys(keys: number): Generator<Partial<CredentialRecord>> {
  for (let key = 0; key < keys; key++) {
    if (key % UNREGISTERED_EVERY === 0) continue;
    yield {
      id: `cred_${key}`,
      ...keyOf(key),
      name: `key ${key}`,
      kind: 'registered',
      org: `org-${key % 5}`,
      sharing: 'team',
      people_declared: 3,
      status: 'active',
      created_at: '2026-01-01T00:00:00Z',
      version: 1,
    };
  }
}

function keyOf(key: number): { fingerprint: string; hint: string } {
  const secret = `sk-ant-api03-${fingerprintOf(`key ${key}`)}${key}AA`;
  return { fingerprint: fingerprintOf(secret), hint: hintOf(secret) };
}
