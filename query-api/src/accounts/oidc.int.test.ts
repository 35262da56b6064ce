import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startProvider } from '../testing/oidc-provider.ts';
import { visitorOf } from '../testing/visitor.ts';

const REDIRECT = 'http://127.0.0.1:4600/sign-in/oidc';
const PEOPLE: Record<string, { email: string; email_verified: boolean; name: string }> = {
  ada: { email: 'ada@example.com', email_verified: true, name: 'Ada' },
  bob: { email: 'bob@example.com', email_verified: true, name: 'Bob' },
  mallory: { email: 'ada@example.com', email_verified: false, name: 'Not Ada' },
};

let api: Harness;
let provider: Awaited<ReturnType<typeof startProvider>>;
beforeAll(async () => {
  provider = await startProvider(REDIRECT, PEOPLE);
  api = await startHarness({
    engine: engineOf(inject('clickhouseServer')),
    oidc: {
      issuer: provider.issuer,
      clientId: 'lanewatch',
      clientSecret: 'client secret',
      name: 'Example',
      role: null,
    },
  });
});
afterAll(async () => {
  await api.close();
  await provider.close();
});

/** A browser at the provider: follows its redirects and fills in its forms until it sends back to the dashboard. */
async function signInAtProvider(url: string, login: string): Promise<URL> {
  const jar = new Map<string, string>();
  let next = url;
  let body: URLSearchParams | undefined;
  for (let step = 0; step < 12; step++) {
    const response = await fetch(next, {
      ...{ redirect: 'manual', method: body === undefined ? 'GET' : 'POST' },
      ...(body === undefined ? {} : { body }),
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    body = undefined;
    const location = response.headers.get('location');
    if (location !== null) {
      next = new URL(location, next).href;
      if (next.startsWith(REDIRECT)) return new URL(next);
      continue;
    }
    const page = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (prompt === undefined) throw new Error(`The provider answered ${response.status}: ${page.slice(0, 300)}`);
    body = new URLSearchParams({ prompt, ...(prompt === 'login' ? { login, password: 'any' } : {}) });
    next = new URL(/action="([^"]+)"/.exec(page)![1]!, next).href;
  }
  throw new Error('The provider never sent back.');
}

async function signIn(login: string, change: (query: Record<string, string>) => Record<string, string> = (q) => q) {
  const who = visitorOf(api.app);
  const begun = await who.ask('POST', '/v1/sign-in/oidc');
  const back = await signInAtProvider(begun.body.url, login);
  const query = change(Object.fromEntries(back.searchParams));
  return { who, query, answer: await who.ask('POST', '/v1/sign-in/oidc/callback', query) };
}

test('whom an admin invited comes in by the OpenID provider, with the role they were given', async () => {
  await api.services.accounts.auth.api.createUser({
    body: { email: 'ada@example.com', name: 'Ada', role: 'analyst', data: { emailVerified: true } },
  });
  const { who, query, answer } = await signIn('ada');
  expect(answer.body, JSON.stringify(answer.body)).toMatchObject({ email: 'ada@example.com', role: 'analyst' });
  expect((await who.ask('GET', '/v1/me')).body.has_password).toBe(false);
  // What came back once is worth nothing again, nor in another browser.
  expect((await who.ask('POST', '/v1/sign-in/oidc/callback', query)).status).toBe(401);
  expect((await visitorOf(api.app).ask('POST', '/v1/sign-in/oidc/callback', query)).status).toBe(401);
});

test('whom nobody invited stays out, and so does an e-mail address that the provider has not verified', async () => {
  const { answer } = await signIn('bob');
  expect([answer.status, answer.body.detail]).toEqual([401, expect.stringContaining('nobody invited you')]);
  expect((await signIn('mallory')).answer.status).toBe(401);
  const people = await api.database.db.selectFrom('users').select('email').execute();
  expect(people.map(({ email }) => email)).not.toContain('bob@example.com');
});

test('an answer with another state, or without a code, begins no session', async () => {
  expect((await signIn('ada', (query) => ({ ...query, state: 'x'.repeat(32) }))).answer.status).toBe(401);
  expect((await signIn('ada', ({ state }) => ({ state: state!, error: 'access_denied' }))).answer.status).toBe(401);
});
