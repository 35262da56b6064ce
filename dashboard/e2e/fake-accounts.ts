import * as contract from '@lanewatch/query-api/contract';
import { found, ProblemAnswer } from './fake-registry.ts';
import type { Organisation } from './organisation.ts';

/** Projects, teams and service accounts that a test made, as long as its organisation is there. */
const directories = new WeakMap<Organisation, Record<string, contract.DirectoryItem[]>>();

/** The projects, teams or service accounts of an organisation, to be changed in place. */
export function directoryOf(org: Organisation, kind: string): contract.DirectoryItem[] {
  const known = directories.get(org) ?? directories.set(org, {}).get(org)!;
  return (known[kind] ??= []);
}

/** What the fake answers about one's own account, people, and what keys belong to; undefined for anything else. */
export function accountAnswer(
  org: Organisation,
  asked: { method: string; kind: string | undefined; id: string | undefined; body: string },
  nowMs: number,
): unknown {
  const { method, kind = '', id, body } = asked;
  const at = new Date(nowMs).toISOString();
  if (['projects', 'teams', 'service-accounts'].includes(kind)) {
    const items = directoryOf(org, kind);
    const sent = body === '' ? {} : (JSON.parse(body) as Partial<contract.DirectoryItem> & { archived?: boolean });
    if (method !== 'GET' && sent.name !== id && items.some(({ name }) => name === sent.name))
      throw new ProblemAnswer(409, 'There is one of this name already.');
    if (method === 'POST') {
      const counts = { keys: 0, keys_active: 0 };
      const made = contract.directoryCreateSchema.parse(sent);
      items.push({ ...made, created_at: at, created_by: 'ada', archived_at: null, ...counts });
    } else if (method === 'PATCH') {
      const { archived, ...changed } = sent;
      const archivedAt = archived === undefined ? {} : { archived_at: archived ? at : null };
      Object.assign(found(items.find(({ name }) => name === id)), changed, archivedAt);
    }
    return contract.directorySchema.parse({ items });
  }
  const person = { id: 'person-1', name: 'Ada', email: 'ada@example.com', role: 'admin', status: 'active' };
  if (kind === 'owners') {
    return contract.ownersSchema.parse({ items: [{ owner: person.email, kind: 'person', label: person.name }] });
  }
  if (kind === 'people') {
    return contract.peopleSchema.parse({
      items: [
        { ...person, totp_enabled: true, created_at: at, last_seen_at: at },
        { ...person, id: 'person-2', name: 'Bob', email: 'bob@example.com', role: 'viewer', status: 'disabled' },
      ].map((one) => ({ totp_enabled: false, created_at: at, last_seen_at: null, ...one })),
    });
  }
  if (kind !== 'me') return undefined;
  const session = { id: 'session-1', is_this_one: true, ip: '10.0.4.12', user_agent: 'A browser of some length' };
  const token = { id: 'cred-9', name: 'Nightly report', hint: 'lw_prod_abc...wxyz', access: 'read', status: 'active' };
  switch (id) {
    case 'sessions':
      return contract.sessionsSchema.parse({
        items: [{ ...session, created_at: at, last_used_at: at, expires_at: at }],
      });
    case 'tokens':
      return contract.tokensSchema.parse({
        items: [{ ...token, created_at: at, expires_at: at, last_used_at: null }],
      });
    case 'passkeys':
      return contract.passkeysSchema.parse({ items: [{ id: 'passkey-1', name: 'This laptop', created_at: at }] });
    default:
      return undefined;
  }
}
