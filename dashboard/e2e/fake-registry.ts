import { hintOf } from '@lanewatch/ingest/contract/hint';
import * as contract from '@lanewatch/query-api/contract';
import { holdsRawKey } from '@lanewatch/query-api/contract/raw-key';
import { createHash, randomBytes } from 'node:crypto';
import type { Organisation } from './organisation.ts';

/** What the fake query-api refuses, as its problem. */
export class ProblemAnswer extends Error {
  status: number;
  errors: contract.Problem['errors'];
  constructor(status: number, detail: string, errors: contract.Problem['errors'] = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

/** The value, or a problem where there is none. */
export function found<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new ProblemAnswer(404, 'There is nothing with this id.');
  return value;
}

/** Answers `POST /v1/credentials`: changes the organisation, and resolves what the new key had raised. */
export function createCredential(org: Organisation, body: unknown, nowMs: number): contract.CredentialCreated {
  if (holdsRawKey(Object.values(body as object).join(' '))) throw new ProblemAnswer(400, 'A raw key must not be sent.');
  const given = contract.credentialCreateSchema.parse(body);
  const managed = given.kind === 'managed';
  if (!managed && !given.fingerprint && !(given.hint && given.org))
    throw new ProblemAnswer(422, 'Give a fingerprint, or a hint and an org.');
  const secret = managed ? `lw_prod_${randomBytes(16).toString('hex')}_k3Jd9a` : null;
  const fingerprint = secret === null ? (given.fingerprint ?? '') : createHash('sha256').update(secret).digest('hex');
  if (fingerprint !== '' && org.credentials.some((one) => one.fingerprint === fingerprint))
    throw new ProblemAnswer(409, 'This key is registered already.');
  const at = new Date(nowMs).toISOString();
  const scopes = managed ? (given.scopes ?? [{ action: 'write' as const, resource: 'usage-events' }]) : [];
  const credential = contract.credentialItemSchema.parse({
    id: `cred-${randomBytes(4).toString('hex')}`,
    kind: given.kind,
    name: given.name,
    fingerprint,
    hint: secret === null ? (given.hint ?? '') : hintOf(secret),
    provider: given.provider,
    org: given.org,
    project: given.project,
    owner: given.owner,
    owner_kind: given.owner_kind,
    team: given.team,
    module: given.module,
    environment: given.environment,
    expected_agents: given.expected_agents,
    expected_repos: given.expected_repos,
    budget: given.budget,
    rate_limit_per_minute: given.rate_limit_per_minute,
    marks: [],
    weakly_governed: given.owner === '',
    secret_created_at: at,
    sharing: given.sharing,
    people_declared: given.people_declared,
    scopes,
    may_ship_events: scopes.some(({ resource }) => resource === 'usage-events'),
    allowed_cidrs: given.allowed_cidrs,
    status: 'active',
    created_at: at,
    created_by: 'admin',
    expires_at: given.expires_at,
    revoked_at: null,
    revoked_by: '',
    revoke_reason: '',
    last_used_at: null,
    usage: 'available',
    version: 1,
  });
  org.credentials.unshift(credential);
  const closed = org.findings.filter(
    (one) => one.status === 'open' && one.rule === 'R01' && one.fingerprint === fingerprint,
  );
  for (const finding of closed)
    Object.assign(finding, {
      status: 'resolved',
      resolution: { at, by: 'admin', reason: 'The key was registered.' },
    });
  return contract.credentialCreatedSchema.parse({
    credential,
    secret,
    findings_resolved: closed.length,
    findings_lowered: 0,
    warnings: [],
    standing:
      fingerprint === '' && org.credentials.filter(({ hint }) => hint === credential.hint).length > 1
        ? 'ambiguous'
        : 'known',
    published: true,
  });
}

/** Answers `POST /v1/credentials/{id}/revoke`. */
export function revokeCredential(
  org: Organisation,
  id: string,
  body: unknown,
  nowMs: number,
): contract.CredentialRevoked {
  const { reason, confirm } = contract.credentialRevokeSchema.parse(body);
  const credential = found(org.credentials.find((one) => one.id === id));
  if (confirm !== undefined && confirm !== credential.name)
    throw new ProblemAnswer(422, 'That is not the name of the key.');
  if (credential.status === 'revoked') throw new ProblemAnswer(409, 'This credential was revoked before.');
  Object.assign(credential, {
    status: 'revoked',
    revoked_at: new Date(nowMs).toISOString(),
    revoked_by: 'admin',
    revoke_reason: reason,
  });
  return contract.credentialRevokedSchema.parse({ ...credential, published: true, findings_resolved: 0 });
}

/** Answers `POST /v1/credentials/refuse`. */
export function refuseKey(org: Organisation, body: unknown, nowMs: number): contract.CredentialRevoked {
  const { reason, ...names } = contract.credentialRefuseSchema.parse(body);
  const { credential } = createCredential(org, { ...names, name: `Refused: ${names.hint}` }, nowMs);
  return revokeCredential(org, credential.id, { reason }, nowMs);
}
