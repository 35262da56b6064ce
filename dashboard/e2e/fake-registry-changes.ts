import { compileCidrs } from '@lanewatch/ingest/contract/networks';
import { hintOf } from '@lanewatch/ingest/contract/hint';
import * as contract from '@lanewatch/query-api/contract';
import { createHash, randomBytes } from 'node:crypto';
import { groups } from './fake-registry-groups.ts';
import { createCredential, found, ProblemAnswer, refuseKey, revokeCredential } from './fake-registry.ts';
import { sum } from './lanes.ts';
import type { Organisation } from './organisation.ts';

/** What the fake query-api answers about keys that there are: changes, who would be hit, older secrets, the log. */

const WEEK_MS = 7 * 86_400_000;

interface Memory {
  secrets: Map<string, contract.CredentialSecret[]>;
  log: Map<string, contract.CredentialLogItem[]>;
  /** What was made under an idempotency key. */
  made: Map<string, contract.CredentialCreated>;
}
/** Beside the organisation, which tests replace. */
const memories = new WeakMap<Organisation, Memory>();

function memoryOf(org: Organisation): Memory {
  const memory = memories.get(org) ?? { secrets: new Map(), log: new Map(), made: new Map() };
  memories.set(org, memory);
  return memory;
}

const keyOf = (org: Organisation, id: string) => found(org.credentials.find((one) => one.id === id));

function secretsOf(org: Organisation, key: contract.CredentialItem): contract.CredentialSecret[] {
  const secrets = memoryOf(org).secrets;
  const first = {
    ...{ fingerprint: key.fingerprint, hint: key.hint, state: 'current' as const, valid_until: key.expires_at },
    ...{ created_at: key.created_at, created_by: key.created_by, replaced_at: null, replaced_by: '' },
  };
  if (!secrets.has(key.id)) secrets.set(key.id, [first]);
  return secrets.get(key.id)!;
}

function record(
  org: Organisation,
  id: string,
  entry: Pick<contract.CredentialLogItem, 'action' | 'detail' | 'changes'>,
  nowMs: number,
): void {
  const log = memoryOf(org).log;
  const lines = log.get(id) ?? [];
  log.set(id, [
    { ...entry, id: lines.length + 1, at: new Date(nowMs).toISOString(), actor: 'ada@example.com' },
    ...lines,
  ]);
}

function detailOf(org: Organisation, key: contract.CredentialItem): contract.CredentialDetail {
  const own = org.rows.filter((row) => row.credential_id === key.id);
  return contract.credentialDetailSchema.parse({
    ...key,
    secrets: secretsOf(org, key),
    spend: { total_usd: sum(own), requests: own.length, period_usd: null, period_from: null },
  });
}

type Effect = contract.Impact['items'][number]['effect'];

/** Callers of the last 7 days, each judged. */
function impactOf(
  org: Organisation,
  fingerprint: string,
  nowMs: number,
  judge: (row: Organisation['rows'][number]) => {
    effect: Effect;
    reasons: contract.Impact['items'][number]['reasons'];
  },
): contract.Impact {
  const from = new Date(nowMs - WEEK_MS).toISOString();
  const own = org.rows.filter((row) => row.fingerprint === fingerprint && row.seen_at >= from);
  const callers = Map.groupBy(own, (row) => JSON.stringify([row.user, row.ip, row.agent]));
  const items = [...callers.values()].map((rows) => {
    const { user, ip, agent, environment, repo, seen_at: lastSeen } = rows[0]!;
    return {
      ...{ user, ip, agent, environment, repo, operation: '', calls: rows.length, last_seen: lastSeen },
      ...judge(rows[0]!),
    };
  });
  const failing = items.filter(({ effect }) => effect === 'fails');
  const calls = (list: typeof items) => list.reduce((all, one) => all + one.calls, 0);
  return contract.impactSchema.parse({
    ...{ from, to: new Date(nowMs).toISOString(), ledger: 'available', callers: items.length, calls: calls(items) },
    ...{
      callers_failing: failing.length,
      calls_failing: calls(failing),
      findings_resolved: 0,
      items,
      truncated: false,
    },
  });
}

const CODES = { revoke: 'revoked', rotate: 'old_secret', regenerate: 'old_secret' } as const;
const allFail = (act: keyof typeof CODES) => () => ({
  effect: 'fails' as const,
  reasons: [{ code: CODES[act], message: act === 'revoke' ? 'The key is revoked.' : 'It uses the old secret.' }],
});

function edit(org: Organisation, id: string, body: unknown, nowMs: number): contract.CredentialEdited {
  const { version, dry_run: isDryRun, ...wanted } = contract.credentialEditSchema.parse(body);
  const key = keyOf(org, id);
  if (version !== key.version) throw new ProblemAnswer(409, 'Somebody changed this key meanwhile. Look at it anew.');
  if (key.environment === 'production' && wanted.expires_at === null)
    throw new ProblemAnswer(422, 'expires_at is required for production keys');
  const changes = Object.entries(wanted)
    .filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(key, field)))
    .map(([field, after]) => ({ field, before: Reflect.get(key, field) as unknown, after }));
  const isAllowed = compileCidrs(wanted.allowed_cidrs ?? key.allowed_cidrs);
  const impact = impactOf(org, key.fingerprint, nowMs, ({ ip }) =>
    isAllowed(ip)
      ? { effect: 'none', reasons: [] }
      : { effect: 'fails', reasons: [{ code: 'address', message: `${ip} is in none of its networks.` }] },
  );
  if (!isDryRun && changes.length > 0) {
    Object.assign(key, wanted, { version: key.version + 1 });
    record(org, id, { action: 'edited', detail: '', changes }, nowMs);
  }
  return contract.credentialEditedSchema.parse({
    ...{ credential: { ...key, ...wanted }, dry_run: isDryRun, changes, impact },
    ...{ needs_step_up: false, published: !isDryRun, warnings: [] },
  });
}

function replaceSecret(org: Organisation, id: string, graceSeconds: number, nowMs: number): contract.CredentialRotated {
  const key = keyOf(org, id);
  if (key.status !== 'active') throw new ProblemAnswer(409, `The key is ${key.status}, which is for ever.`);
  const [current, ...older] = secretsOf(org, key);
  const secret = `lw_prod_${randomBytes(16).toString('hex')}_k3Jd9a`;
  const at = new Date(nowMs).toISOString();
  const previous = {
    ...current!,
    state: graceSeconds > 0 ? ('grace' as const) : ('ended' as const),
    ...{ replaced_at: at, replaced_by: 'ada@example.com' },
    valid_until: new Date(nowMs + graceSeconds * 1000).toISOString(),
  };
  const fingerprint = createHash('sha256').update(secret).digest('hex');
  Object.assign(key, { fingerprint, hint: hintOf(secret), secret_created_at: at, version: key.version + 1 });
  const next = { ...current!, fingerprint, hint: key.hint, created_at: at, created_by: 'ada@example.com' };
  memoryOf(org).secrets.set(id, [next, previous, ...older]);
  const action = graceSeconds > 0 ? 'rotated' : 'regenerated';
  record(org, id, { action, detail: `grace ${graceSeconds} s`, changes: [] }, nowMs);
  return contract.credentialRotatedSchema.parse({
    ...{ credential: detailOf(org, key), secret, previous, published: true, warnings: [] },
  });
}

function drainOf(org: Organisation, id: string): contract.Drain {
  const [current, ...old] = secretsOf(org, keyOf(org, id));
  const useOf = (secret: contract.CredentialSecret) => {
    const rows = org.rows.filter((row) => row.fingerprint === secret.fingerprint);
    return { rows, calls: rows.length, last_used_at: rows[0]?.seen_at ?? null };
  };
  const callersOf = (rows: Organisation['rows']) =>
    [...Map.groupBy(rows, (row) => JSON.stringify([row.user, row.ip])).values()].map((own) => {
      const { user, ip, agent, environment, seen_at: lastSeen } = own[0]!;
      return { user, ip, agent, environment, calls: own.length, last_seen: lastSeen };
    });
  const { rows: _rows, ...currentUse } = useOf(current!);
  return contract.drainSchema.parse({
    ...{ credential_id: id, ledger: 'available' },
    current: { fingerprint: current!.fingerprint, hint: current!.hint, ...currentUse },
    old: old.map((secret) => {
      const { rows, ...use } = useOf(secret);
      return { ...secret, ...use, callers: callersOf(rows) };
    }),
  });
}

/** Lines of `name,fingerprint,hint,org,owner` in the order of their header, without quotes. */
function importKeys(org: Organisation, body: unknown, nowMs: number): contract.CredentialImported {
  const { csv, dry_run: isDryRun } = contract.credentialImportSchema.parse(body);
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  const items = lines.map((line, index) => {
    const values = Object.fromEntries(header.split(',').map((name, at) => [name.trim(), line.split(',')[at] ?? '']));
    const { name = '', fingerprint = '', hint = '', owner = '', ...rest } = values;
    const told = { line: index + 2, name, hint, fingerprint, weakly_governed: owner === '' || !rest['org'] };
    const isThere = org.credentials.some((one) => fingerprint !== '' && one.fingerprint === fingerprint);
    if (isThere) return { ...told, outcome: 'present', credential_id: '', errors: [] };
    const isKnowable = /^[0-9a-f]{64}$/.test(fingerprint) || (hint !== '' && rest['org']);
    if (name === '' || !isKnowable) {
      const path = name === '' ? 'name' : 'fingerprint';
      return { ...told, outcome: 'bad', credential_id: '', errors: [{ path, message: 'is needed' }] };
    }
    const made = isDryRun
      ? null
      : createCredential(
          org,
          { name, owner, org: rest['org'] ?? '', ...(fingerprint ? { fingerprint } : { hint }) },
          nowMs,
        );
    return { ...told, outcome: 'registered', credential_id: made?.credential.id ?? '', errors: [] };
  });
  const of = (outcome: string) => items.filter((one) => one.outcome === outcome);
  return contract.credentialImportedSchema.parse({
    ...{ dry_run: isDryRun, items, findings_resolved: 0, published: true },
    totals: {
      ...{ lines: items.length, registered: of('registered').length, present: of('present').length },
      bad: of('bad').length,
      weakly_governed: of('registered').filter((one) => one.weakly_governed).length,
    },
  });
}

function create(org: Organisation, body: unknown, once: string, nowMs: number): contract.CredentialCreated {
  const { made } = memoryOf(org);
  const before = made.get(once);
  if (before) return before;
  const given = contract.credentialCreateSchema.parse(body);
  if (given.kind === 'managed' && given.environment === 'production' && given.expires_at === null)
    throw new ProblemAnswer(422, 'expires_at is required for production keys', [
      { path: 'expires_at', message: 'is required for production keys' },
    ]);
  const answer = createCredential(org, body, nowMs);
  record(org, answer.credential.id, { action: 'issued', detail: '', changes: [] }, nowMs);
  if (once !== '') made.set(once, answer);
  return answer;
}

function preflight(org: Organisation, body: unknown): contract.PreflightAnswer {
  const { owner, owner_kind: kind, scopes = [], allowed_cidrs: cidrs } = contract.credentialCreateSchema.parse(body);
  const active = org.credentials.filter(({ status }) => status === 'active');
  return contract.preflightAnswerSchema.parse({
    warnings:
      cidrs.length === 0 ? [{ code: 'any_network', path: 'allowed_cidrs', message: 'It works from any address.' }] : [],
    preflight: {
      owner: owner === '' ? null : { name: owner, kind, keys_active: 2, spend_30d_usd: '12.5', budget_usd_month: '50' },
      plan: { keys_active: active.length, keys_max: 100 },
    },
    needs_step_up: scopes.some(({ action }) => action === 'execute' || action === 'admin' || action === '*'),
  });
}

/** A request about the registry. */
export interface RegistryRequest {
  method: string;
  id: string | undefined;
  verb: string | undefined;
  body: unknown;
  query: Record<string, unknown>;
  /** Its idempotency key, or ''. */
  once: string;
}

/** Answers what begins with `/v1/credentials/` and changes of keys; undefined for what is none of it. */
export function registryAnswer(org: Organisation, request: RegistryRequest, nowMs: number): unknown {
  const { method, id, verb, body, query } = request;
  if (method === 'GET') {
    if (id === 'modules') return groups(org).modules;
    if (id === 'environments') return groups(org).environments;
    if (id === undefined) return undefined;
    if (verb === 'impact') {
      const { act } = contract.impactQuerySchema.parse(query);
      return impactOf(org, keyOf(org, id).fingerprint, nowMs, allFail(act));
    }
    if (verb === 'drain') return drainOf(org, id);
    if (verb === 'log')
      return contract.credentialLogSchema.parse({ items: memoryOf(org).log.get(id) ?? [], next_cursor: null });
    return undefined;
  }
  if (method === 'PATCH' && id !== undefined) return edit(org, id, body, nowMs);
  if (method !== 'POST') return undefined;
  if (id === undefined) return create(org, body, request.once, nowMs);
  if (id === 'preflight') return preflight(org, body);
  if (id === 'refuse') return refuseKey(org, body, nowMs);
  if (id === 'import') return importKeys(org, body, nowMs);
  if (verb === 'rotate')
    return replaceSecret(org, id, contract.credentialRotateSchema.parse(body).grace_seconds, nowMs);
  if (verb === 'regenerate') return replaceSecret(org, id, 0, nowMs);
  if (verb === 'revoke') return revokeCredential(org, id, body, nowMs);
  return undefined;
}

/** `GET /v1/credentials/{id}` */
export const credentialDetail = detailOf;
