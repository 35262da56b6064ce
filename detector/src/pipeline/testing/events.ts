import { fingerprintOf, type UsageEvent } from '@lanewatch/ingest/contract';

/** Noon of a working day: the time tests take as now. */
export const NOON = Date.parse('2026-11-20T12:00:00Z');

/** A plain usage event of one lane, received a second after it happened, with the given fields changed. */
export function usageEvent(fields: Partial<UsageEvent>): UsageEvent {
  return {
    source: 'test',
    id: '1',
    time: NOON,
    received_at: NOON + 1000,
    fingerprint: fingerprintOf('lane'),
    hint: '',
    credential_provider: '',
    credential_kind: 'api_key',
    org: 'acme',
    user: '',
    ip: '',
    host: '',
    agent: 'claude-code',
    agent_version: '',
    session: 's1',
    request_id: '',
    repo: '',
    branch: '',
    provider: '',
    model: 'm',
    module: '',
    environment: '',
    action: 'execution',
    operation: '',
    outcome: 'success',
    status_code: 200,
    tokens_input_uncached: 1,
    tokens_cache_read: 0,
    tokens_cache_write: 0,
    tokens_output: 1,
    cost_nano_usd: 1_000_000,
    cost_basis: 'reported',
    latency_ms: 1,
    collector: 'c1',
    flags: [],
    served_by: '',
    reporter: '',
    sent_as: '',
    response_id: '',
    rate_limits: '',
    ...fields,
  };
}
