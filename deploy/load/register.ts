import { z } from 'zod';
import type { Key } from './key.ts';
import type { Organisation } from './organisation.ts';

export const createdSchema = z.object({ credential: z.object({ id: z.string() }) });
const listSchema = z.object({
  items: z.array(z.object({ name: z.string(), org: z.string() })),
  next_cursor: z.string().nullable(),
});

/** A signed-in session at query-api. */
export interface Registrar {
  queryApiUrl: string;
  /** Value of the cookie header. */
  cookie: string;
}

/** Signs in with a one-time link. */
export async function signIn(queryApiUrl: string, signInUrl: string): Promise<Registrar> {
  const link = new URL(signInUrl).searchParams.get('link');
  const response = await fetch(`${queryApiUrl}/v1/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ link }),
  });
  if (!response.ok)
    throw new Error(`Signing in failed with ${response.status}: ${(await response.text()).slice(0, 300)}`);
  const cookie = response.headers
    .getSetCookie()
    .map((text) => text.split(';', 1)[0]!)
    .join('; ');
  return { queryApiUrl, cookie };
}

/**
 * Registers what the invented organisation has registered and revokes what it has revoked; what is there already stays.
 * @param expiresAt end of the key whose incident is that it expires
 * @returns how many were registered now
 */
export async function registerOrganisation(
  registrar: Registrar,
  organisation: Organisation,
  expiresAt: Date,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<number> {
  const there = await registeredNames(registrar);
  const missing = organisation.keys.filter((key) => key.registration.kind !== 'none' && !there.has(key.label));
  for (const [index, key] of missing.entries()) {
    const answer = createdSchema.parse(await call(registrar, 'POST', '/v1/credentials', bodyOf(key, expiresAt)));
    if (key.registration.kind === 'revoked') {
      await call(registrar, 'POST', `/v1/credentials/${answer.credential.id}/revoke`, { reason: 'Left the company' });
    }
    onProgress(index + 1, missing.length);
  }
  return missing.length;
}

async function registeredNames(registrar: Registrar): Promise<Set<string>> {
  const names = new Set<string>();
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = listSchema.parse(await call(registrar, 'GET', `/v1/credentials?limit=500${query}`));
    for (const { name } of page.items) names.add(name);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return names;
}

function bodyOf(key: Key, expiresAt: Date): Record<string, unknown> {
  return {
    kind: 'registered',
    name: key.label,
    ...(key.registration.kind === 'hint' ? {} : { fingerprint: key.fingerprint }),
    hint: key.hint,
    org: key.org,
    owner: key.owner,
    owner_kind:
      key.owner === '' ? '' : key.owner.includes('@svc.') || key.aroundTheClock ? 'service_account' : 'person',
    team: key.team,
    environment: key.environment,
    sharing: key.sharing,
    people_declared: key.peopleDeclared,
    ...(key.registration.kind === 'expiring' ? { expires_at: expiresAt.toISOString() } : {}),
  };
}

/** A request of the session; its answer as JSON. */
export async function call(registrar: Registrar, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${registrar.queryApiUrl}${path}`, {
    method,
    headers: { cookie: registrar.cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`query-api answered ${response.status} to ${method} ${path}: ${text.slice(0, 400)}`);
  return JSON.parse(text) as unknown;
}
