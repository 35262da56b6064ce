import type { UsageEvent, UsageEventInput } from '@lanewatch/ingest/contract';

/** The event as a collector sends it: the nested object of `POST /v1/events`. */
export function toInput(event: UsageEvent): UsageEventInput {
  return {
    source: event.source,
    id: event.id,
    time: new Date(event.time).toISOString(),
    credential: {
      fingerprint: event.fingerprint,
      hint: event.hint,
      provider: event.credential_provider,
      kind: event.credential_kind,
    },
    org: event.org,
    user: event.user,
    ip: event.ip,
    agent: { name: event.agent, version: event.agent_version },
    session: event.session,
    request_id: event.request_id,
    repo: event.repo,
    branch: event.branch,
    provider: event.provider,
    model: event.model,
    environment: event.environment,
    action: event.action,
    operation: event.operation,
    outcome: event.outcome,
    status_code: event.status_code,
    tokens: {
      input_uncached: event.tokens_input_uncached,
      cache_read: event.tokens_cache_read,
      cache_write: event.tokens_cache_write,
      output: event.tokens_output,
    },
    cost_usd: (event.cost_nano_usd / 1e9).toFixed(9),
    cost_basis: event.cost_basis,
    latency_ms: event.latency_ms,
  };
}
