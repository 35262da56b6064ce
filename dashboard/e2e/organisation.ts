import type { CredentialItem, DeadLetter, FindingItem, LedgerItem } from '@lanewatch/query-api/contract';
import { createHash } from 'node:crypto';
import { LANES, type LaneSketch } from './lane-sketches.ts';

/**
 * An invented organisation for the fake query-api: the three lanes of the product's first page among believable others. All of it is
 * computed from a seed and one moment, so that every run shows the same.
 */
export interface Organisation {
  rows: LedgerItem[];
  credentials: CredentialItem[];
  findings: FindingItem[];
  deadLetters: DeadLetter[];
  /** What people and receivers wrote into names and answers of rules and channels. */
  text: string;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Small deterministic generator (mulberry32): tests need the same organisation each time, not good randomness. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const EVENTS_PER_SESSION = 6;
const NANO_PER_CENT = 10_000_000n;

export const fingerprintFor = (hint: string) => createHash('sha256').update(`invented ${hint}`).digest('hex');
const findingIdFor = (rule: string) => `${rule}-${'0'.repeat(24)}`;
export const decimal = (nano: bigint) =>
  `${nano / 1_000_000_000n}.${(nano % 1_000_000_000n).toString().padStart(9, '0')}`;

function rowsOf(
  sketch: LaneSketch,
  index: number,
  nowMs: number,
  random: () => number,
  credentialId: string,
): LedgerItem[] {
  const fingerprint = fingerprintFor(sketch.hint);
  const count = sketch.sessions * EVENTS_PER_SESSION;
  const totalNano = BigInt(sketch.cents) * NANO_PER_CENT;
  const share = totalNano / BigInt(count);
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
  return Array.from({ length: count }, (_, number): LedgerItem => {
    const session = Math.floor(number / EVENTS_PER_SESSION);
    const person = session % sketch.users.length;
    // The newest session ends at the lane's last event; the others lie behind it, spread over six days.
    const startMs = session === 0 ? 0 : Math.floor((session / sketch.sessions) * 5.8 * DAY_MS);
    const seenMs = nowMs - sketch.lastMinutesAgo * MINUTE_MS - startMs - (number % EVENTS_PER_SESSION) * 4 * MINUTE_MS;
    const at = new Date(seenMs).toISOString();
    const nano = number === 0 ? totalNano - share * BigInt(count - 1) : share;
    return {
      source: `claude-code/${sketch.agent[0]}`,
      id: `${index}-${number}`,
      time: at,
      received_at: at,
      seen_at: at,
      stored_at: new Date(seenMs + 400).toISOString(),
      lane: fingerprint,
      fingerprint,
      hint: sketch.hint,
      credential_provider: 'anthropic',
      credential_kind: 'api_key',
      credential_id: credentialId,
      standing: sketch.standing,
      match: sketch.standing === 'unknown' ? 'none' : sketch.standing === 'ambiguous' ? 'ambiguous' : 'proven',
      org: sketch.org,
      user: sketch.users[person] ?? '',
      ip: pick(sketch.ips),
      host: sketch.host ?? `host-${person + 1}`,
      agent: sketch.agent[0],
      agent_version: sketch.agent[1],
      session: `${fingerprint.slice(0, 8)}-session-${session}`,
      request_id: `req_${index}_${number}`,
      repo: pick(sketch.repos),
      branch: 'main',
      provider: 'anthropic',
      model: pick(sketch.models),
      module: '',
      environment: 'development',
      ...{ action: 'execution', operation: 'messages', outcome: 'success' },
      status_code: 200,
      tokens_input_uncached: 1200 + Math.floor(random() * 4000),
      tokens_cache_read: 15_000,
      tokens_cache_write: 900,
      tokens_output: 300 + Math.floor(random() * 900),
      cost_usd: decimal(nano),
      cost_basis: 'reported',
      latency_ms: 1800 + Math.floor(random() * 3000),
      collector: index % 3 === 2 ? 'cred-collector-ci' : 'cred-collector-laptops',
      flags: [],
      served_by: '',
      reporter: 'agent',
      sent_as: '',
      response_id: '',
      rate_limits: '',
      findings: sketch.standing === 'unknown' ? [findingIdFor('R01')] : [],
      calls: 1,
      joins: '',
      kafka_partition: index,
      kafka_offset: number,
      record_index: 0,
    };
  });
}

/** What most keys of the organisation leave unsaid. */
function lateFields(createdAt: string) {
  return {
    expected_agents: [],
    expected_repos: [],
    budget: null,
    rate_limit_per_minute: null,
    marks: [],
    weakly_governed: false,
    secret_created_at: createdAt,
  };
}

function credentialOf(sketch: LaneSketch, id: string, nowMs: number): CredentialItem {
  const ago = (days: number) => new Date(nowMs - days * DAY_MS).toISOString();
  const revoked = sketch.standing === 'revoked';
  const expired = sketch.standing === 'expired';
  return {
    id,
    kind: 'registered',
    name: sketch.name ?? '',
    fingerprint: fingerprintFor(sketch.hint),
    hint: sketch.hint,
    provider: 'anthropic',
    org: sketch.org,
    project: '',
    owner: sketch.owner ?? '',
    owner_kind: 'person',
    team: '',
    module: '',
    environment: sketch.environment ?? 'development',
    ...lateFields(ago(60)),
    sharing: sketch.sharing ?? 'personal',
    people_declared: sketch.users.length,
    scopes: [],
    may_ship_events: false,
    allowed_cidrs: [],
    status: revoked ? 'revoked' : expired ? 'expired' : 'active',
    created_at: ago(60),
    created_by: 'admin',
    expires_at: expired ? ago(10) : null,
    revoked_at: revoked ? ago(1) : null,
    revoked_by: revoked ? 'admin' : '',
    revoke_reason: revoked ? 'Found in a public log' : '',
    last_used_at: new Date(nowMs - sketch.lastMinutesAgo * MINUTE_MS).toISOString(),
    usage: 'available',
    version: revoked ? 2 : 1,
  };
}

function collectorKey(id: string, name: string, nowMs: number): CredentialItem {
  const hint = `lw_prod_${id.slice(-3)}...Qx7d`;
  return {
    id,
    kind: 'managed',
    name,
    fingerprint: fingerprintFor(id),
    hint,
    provider: 'lanewatch',
    org: '',
    project: '',
    owner: '',
    owner_kind: '',
    team: '',
    module: 'monitoring_logs',
    environment: 'production',
    ...lateFields(new Date(nowMs - 30 * DAY_MS).toISOString()),
    sharing: 'team',
    people_declared: 1,
    scopes: [{ action: 'write', resource: 'usage-events' }],
    may_ship_events: true,
    allowed_cidrs: [],
    status: 'active',
    created_at: new Date(nowMs - 30 * DAY_MS).toISOString(),
    created_by: 'admin',
    expires_at: null,
    ...{ revoked_at: null, revoked_by: '', revoke_reason: '' },
    ...{ last_used_at: null, usage: 'available' },
    version: 1,
  };
}

function findingOf(sketch: LaneSketch, rule: 'R01' | 'R03' | 'R05', rows: readonly LedgerItem[]): FindingItem {
  const first = rows.at(-1)?.seen_at ?? '';
  const last = rows[0]?.seen_at ?? '';
  const TEXTS = {
    R01: ['Unknown key', 'The key is not in the allowlist at event time.'],
    R03: ['Revoked or expired key in use', 'The key was used after its revocation, expiry or the end of its grace.'],
    R05: ['Shared lane', 'More people than declared used the key within the window.'],
  } as const;
  const severity = rule === 'R05' ? 'medium' : 'critical';
  const lane = fingerprintFor(sketch.hint);
  return {
    id: findingIdFor(rule),
    rule,
    title: TEXTS[rule][0],
    condition: TEXTS[rule][1],
    sentence: `${TEXTS[rule][1].replace(/\.$/, '')} (since ${first.slice(0, 16).replace('T', ' ')} UTC).`,
    lane,
    fingerprint: lane,
    hint: sketch.hint,
    org: sketch.org,
    ...{ credential_id: '', registration: rule === 'R01' ? ('helps' as const) : ('not_needed' as const) },
    severity,
    risk: severity === 'critical' ? 99 : 47,
    status: 'open',
    ...{ resolution: null, snooze: null, acknowledged: null, assignee: '', comments: 0, version: 0 },
    lane_cost_usd: decimal(rows.reduce((nano, row) => nano + BigInt(Math.round(Number(row.cost_usd) * 1e9)), 0n)),
    first_seen: first,
    last_seen: last,
    occurrences: rows.length,
    facts: {
      user: sketch.users[0] ?? '',
      ip: sketch.ips[0] ?? '',
      agent: sketch.agent.join(' '),
      model: sketch.models[0] ?? '',
      session_active: true,
      people: sketch.users,
    },
    parameters: { session_active_ms: 1_800_000, spend_usd: 5 },
    ledger_filter: { lane },
  };
}

function deadLetterOf(nowMs: number): DeadLetter {
  return {
    ...{ id: '3-4711-0', at: new Date(nowMs - 7 * MINUTE_MS).toISOString(), reason: 'the line is no JSON' },
    ...{ partition: 3, offset: 4711, record_index: 0, bytes: 12, is_whole: true, replayed_at: null, replayed_by: '' },
  };
}

/**
 * @param nowMs epoch milliseconds that everything is relative to
 */
export function organisation(nowMs: number): Organisation {
  const random = generator(7);
  const rows: LedgerItem[] = [];
  const credentials: CredentialItem[] = [
    collectorKey('cred-collector-laptops', 'Laptops', nowMs),
    collectorKey('cred-collector-ci', 'CI runners', nowMs),
    collectorKey('cred-collector-proxy', 'Egress proxy', nowMs),
  ];
  const findings: FindingItem[] = [];
  LANES.forEach((sketch, index) => {
    const registered = sketch.name !== undefined;
    const id = registered ? `cred-${index}` : '';
    const own = rowsOf(sketch, index, nowMs, random, id);
    rows.push(...own);
    if (registered) credentials.push(credentialOf(sketch, id, nowMs));
    if (sketch.standing === 'unknown') findings.push(findingOf(sketch, 'R01', own));
    if (sketch.standing === 'revoked') findings.push(findingOf(sketch, 'R03', own));
    if (sketch.hint.endsWith('A3F2')) findings.push(findingOf(sketch, 'R05', own));
  });
  rows.sort((a, b) => b.seen_at.localeCompare(a.seen_at));
  return { rows, credentials, findings, deadLetters: [deadLetterOf(nowMs)], text: 'qpoint-dev' };
}
