import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { InjectOptions } from 'fastify';
import { LEDGER_FILTER_COLUMNS, SESSION_COOKIE } from '../contract/index.ts';
import { CONTROL_TOKEN, engineOf, startHarness } from './testing/harness.ts';
import type { Harness } from './testing/harness.ts';

const engine = engineOf(inject('clickhouseServer'));
let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

const RAW_KEY = `sk-ant-api03-${'Zx9'.repeat(31)}AA`;
const HOSTILE = [
  `' OR 1=1 --`,
  `'; DROP TABLE ledger; --`,
  `\\'; SELECT 1`,
  `{f_user:String}`,
  `%' UNION SELECT * FROM system.users --`,
  '`',
  'a\\',
  'tab\tand\nline',
  '[1,2]',
  `']) OR has(['`,
  '\u0000',
  '𝕊🗝️',
];

describe('who may read', () => {
  test('a made-up, a malformed and an ended session read nothing', async () => {
    const link = await api.services.accounts.createLink();
    const response = await api.app.inject({ method: 'POST', url: '/v1/sign-in', payload: { link } });
    const token = response.cookies.find(({ name }) => name === SESSION_COOKIE)!.value;
    const me = (cookie: string) =>
      api.app.inject({ method: 'GET', url: '/v1/me', cookies: { [SESSION_COOKIE]: cookie } });
    expect((await me(token)).json()).toMatchObject({ name: 'Operator', role: 'admin', setup: 'optional' });
    const signOut = await api.app.inject({
      method: 'POST',
      url: '/v1/sign-out',
      payload: {},
      cookies: { [SESSION_COOKIE]: token },
    });
    expect(signOut.statusCode).toBe(204);
    for (const cookie of [token, 'A'.repeat(43), `' OR 1=1 --`, '']) expect((await me(cookie)).statusCode).toBe(401);
  });

  test('a script’s GET of a link begins a session and leaves the link to a person, whose use ends it', async () => {
    const link = await api.services.accounts.createLink();
    const url = `/sign-in?link=${link}`;
    expect((await api.app.inject({ method: 'HEAD', url })).statusCode).toBe(405);
    const browser = await api.app.inject({ method: 'GET', url, headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(browser.statusCode).toBe(303);
    expect(browser.headers.location).toBe(`${api.config.dashboardUrl}/sign-in?link=${link}`);
    expect(browser.cookies).toEqual([]);
    for (let use = 0; use < 2; use++) {
      const script = await api.app.inject({ method: 'GET', url, headers: { accept: '*/*' } });
      expect(script.statusCode).toBe(303);
      expect(script.headers.location).toBe(api.config.dashboardUrl);
      const [cookie] = script.cookies;
      expect(cookie).toMatchObject({ name: SESSION_COOKIE, httpOnly: true, sameSite: 'Lax', path: '/' });
      expect(cookie).not.toHaveProperty('domain');
    }
    const answers = await Promise.all(
      [1, 2, 3].map(() => api.app.inject({ method: 'POST', url: '/v1/sign-in', payload: { link } })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401, 401]);
    expect((await api.app.inject({ method: 'GET', url })).statusCode).toBe(401);
    expect(JSON.stringify(api.logged)).not.toContain(link);
  });

  test('attempts with links that are none are limited, and shut out nobody who has one', async () => {
    const statuses = new Set<number>();
    const tryLink = (link: string) => {
      const remoteAddress = '203.0.113.9';
      return api.app.inject({ method: 'POST', url: '/v1/sign-in', remoteAddress, payload: { link } });
    };
    for (let attempt = 0; attempt < 25; attempt++) {
      const answer = await tryLink('x');
      statuses.add(answer.statusCode);
      if (answer.statusCode === 429) expect(answer.json()).toMatchObject({ title: 'Too many requests' });
    }
    expect([...statuses].sort()).toEqual([401, 429]);
    const logged = api.logged.map((line) => JSON.parse(line) as { level: number; status?: number });
    const limited = logged.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited.every(({ level }) => level < 30)).toBe(true);
    expect((await tryLink(await api.services.accounts.createLink())).statusCode).toBe(200);
  });

  test('control routes take the control token only, and issue a first collector key once', async () => {
    const post = (path: string, authorization: string, body: object = {}) =>
      api.app.inject({ method: 'POST', url: path, headers: { authorization }, payload: body });
    for (const authorization of ['', 'Bearer', `Bearer ${'d'.repeat(64)}`, CONTROL_TOKEN]) {
      expect((await post('/internal/bootstrap', authorization)).statusCode).toBe(401);
      expect((await post('/internal/sign-in-links', authorization)).statusCode).toBe(401);
    }
    const bearer = `Bearer ${CONTROL_TOKEN}`;
    const first = (await post('/internal/bootstrap', bearer)).json<{ collector_key: string; sign_in_url: string }>();
    expect(first.collector_key).toMatch(/^lw_dev_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/);
    expect(first.sign_in_url).toMatch(/^http:\/\/127\.0\.0\.1:4600\/sign-in\?link=[\w-]{43}$/);
    expect((await post('/internal/bootstrap', bearer)).json()).toMatchObject({ collector_key: null });
    const again = (await post('/internal/bootstrap', bearer, { issue_collector_key: true })).json<typeof first>();
    expect(again.collector_key).not.toBe(first.collector_key);
    expect((await post('/internal/sign-in-links', bearer)).statusCode).toBe(201);
    const collectors = (await api.get('/v1/overview')).body.collectors;
    expect(collectors).toHaveLength(2);
    expect(collectors.map(({ name, state }: Record<string, string>) => [name, state])).toEqual([
      ['Collector 2', 'never'],
      ['First collector', 'never'],
    ]);
    expect(JSON.stringify(api.logged)).not.toContain(first.collector_key);
  });
});

describe('bad input', () => {
  // Else a filter that lets everything through would show nothing, too.
  beforeAll(() => api.storeRows([{ id: 'there', user: 'ada', flags: ['redacted'], findings: ['f1'] }]));

  test.each([...LEDGER_FILTER_COLUMNS.filter((column) => column !== 'status_code'), 'finding', 'flag'])(
    'ledger filter %s takes SQL-looking text as text',
    async (column) => {
      const texts = HOSTILE.map((text) => text.slice(0, 60));
      const { status, body } = await api.get('/v1/ledger', {
        [column]: column === 'finding' || column === 'flag' ? texts[0]! : texts,
      });
      expect(status, JSON.stringify(body)).toBe(200);
      expect(body.items).toEqual([]);
    },
  );

  test('a row with hostile texts is found by exactly that text in every column', async () => {
    const columns = ['user', 'repo', 'model', 'session', 'agent', 'org'] as const;
    for (const text of HOSTILE) {
      const row = Object.fromEntries(columns.map((column) => [column, text]));
      await api.storeRows([{ ...row, id: `hostile ${text}` }]);
    }
    for (const text of HOSTILE) {
      for (const column of columns) {
        const { body } = await api.get('/v1/ledger', { [column]: text });
        expect(body.items.map((item: Record<string, unknown>) => item[column])).toEqual([text]);
      }
      const nodes = (await api.get('/v1/lanes/unattributed')).body.usage_context.repos;
      expect(nodes.map(({ value }: { value: string }) => value)).toContain(text);
    }
  });

  test.each(HOSTILE)('SQL-looking text %j is only text in lanes, findings and credentials', async (text) => {
    for (const [path, query] of [
      ['/v1/lanes', { q: text }],
      ['/v1/lanes', { org: text }],
      ['/v1/findings', { rule: text.slice(0, 16) }],
      ['/v1/findings', { lane: text }],
    ] as const) {
      const { status, body } = await api.get(path, query);
      expect(status, `${path} ${JSON.stringify(body)}`).toBe(200);
    }
    const credentials = await api.get('/v1/credentials', { q: text });
    expect(credentials.status).toBe(200);
    expect((await api.get(`/v1/lanes/${encodeURIComponent(text)}`)).status).toBe(404);
    expect((await api.get(`/v1/findings/${encodeURIComponent(text)}`)).status).toBe(404);
    const one = await api.get(`/v1/credentials/${encodeURIComponent(text)}`);
    expect(one.status).toBe(404);
  });

  test.each([
    ['/v1/ledger', { cursor: 'nonsense' }, 'cursor'],
    ['/v1/ledger', { cursor: Buffer.from('[1,2]').toString('base64url') }, 'cursor'],
    ['/v1/ledger', { cursor: Buffer.from('["x",0,0,0]').toString('base64url') }, 'cursor'],
    ['/v1/ledger', { cursor: Buffer.from('[1e99,0,0,0]').toString('base64url') }, 'cursor'],
    ['/v1/lanes', { cursor: Buffer.from('[null]').toString('base64url') }, 'cursor'],
    ['/v1/findings', { cursor: Buffer.from('[999,1,"x"]').toString('base64url') }, 'cursor'],
    ['/v1/findings', { cursor: 'W10' }, 'cursor'],
    ['/v1/credentials', { cursor: 'W10' }, 'cursor'],
    ['/v1/credentials', { cursor: Buffer.from('["x","y"]').toString('base64url') }, 'cursor'],
    ['/v1/ledger', { limit: '0' }, 'limit'],
    ['/v1/ledger', { limit: '501' }, 'limit'],
    ['/v1/ledger', { status_code: '4xx' }, 'status_code'],
    ['/v1/ledger', { status_code: '70000' }, 'status_code'],
    ['/v1/ledger', { from: 'yesterday' }, 'from'],
    ['/v1/overview', { window: '2d' }, 'window'],
    ['/v1/lanes', { standing: 'bad' }, 'standing'],
    ['/v1/findings', { severity: 'bad' }, 'severity'],
  ])('%s with %j is a problem that names %s', async (path, query, field) => {
    const { status, body, headers } = await api.get(path, query as Record<string, string>);
    expect(status, JSON.stringify(body)).toBe(400);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(body.errors.map(({ path: name }: { path: string }) => name)).toEqual([field]);
    expect(body.request_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a mistyped filter is refused instead of showing everything', async () => {
    for (const path of ['/v1/ledger', '/v1/owners', '/v1/onboarding']) {
      const { status, body } = await api.get(path, { usr: 'ada' });
      expect([path, status, body.detail]).toEqual([path, 400, expect.stringMatching(/^\w.*usr/)]);
    }
  });

  test('a lane that was never seen is not found, whatever is asked about it', async () => {
    const paths = ['/v1/lanes/nope', '/v1/lanes/nope/sharing', '/v1/lanes/nope/callers'];
    const answers = await Promise.all(paths.map(async (path) => (await api.get(path)).status));
    expect(answers).toEqual([404, 404, 404]);
  });

  test('unknown routes are 404, known ones with another method 405, other bodies 400, 413 and 415', async () => {
    const cookies = { [SESSION_COOKIE]: api.cookie };
    const json = { 'content-type': 'application/json' };
    const statusOf = async (request: InjectOptions): Promise<number> => {
      const response = await api.app.inject({ cookies, ...request });
      expect(response.headers['content-type']).toContain('application/problem+json');
      expect(response.json()).toMatchObject({ status: response.statusCode });
      expect(response.body).not.toContain('secret-in-body');
      return response.statusCode;
    };
    expect(await statusOf({ method: 'GET', url: '/v1/nothing' })).toBe(404);
    expect(await statusOf({ method: 'GET', url: '/' })).toBe(404);
    expect(await statusOf({ method: 'DELETE', url: '/v1/ledger' })).toBe(405);
    expect(await statusOf({ method: 'GET', url: '/v1/credentials/x/revoke' })).toBe(405);
    const url = '/v1/credentials';
    expect(await statusOf({ method: 'POST', url, headers: json, payload: '{"secret-in-body' })).toBe(400);
    expect(await statusOf({ method: 'POST', url, headers: json, payload: '{"__proto__":{"a":1}}' })).toBe(400);
    expect(await statusOf({ method: 'POST', url, headers: json, payload: '' })).toBe(400);
    expect(await statusOf({ method: 'POST', url, headers: json, payload: `"${'x'.repeat(300_000)}"` })).toBe(413);
    expect(await statusOf({ method: 'POST', url, headers: { 'content-type': 'text/plain' }, payload: 'x' })).toBe(415);
    expect(await statusOf({ method: 'POST', url })).toBe(415);
    expect(await statusOf({ method: 'GET', url: '/v1/lanes/%ff' })).toBe(400);
  });

  test('a URL beyond what is read, and what is not HTTP, get a problem as well', async () => {
    const { port } = api.app.server.address() as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}/v1/ledger?user=${'x'.repeat(20_000)}`);
    expect(response.status).toBe(431);
    expect(await response.json()).toMatchObject({ status: 431, type: 'urn:lanewatch:problem:headers_too_large' });
  });

  test('a body nested as deep as it may be large is refused like any other', async () => {
    const payload = `{"name":${'['.repeat(120_000)}${']'.repeat(120_000)}}`;
    const headers = { 'content-type': 'application/json' };
    const cookies = { [SESSION_COOKIE]: api.cookie };
    const answer = await api.app.inject({ method: 'POST', url: '/v1/credentials', headers, cookies, payload });
    expect(answer.statusCode).toBe(400);
  });

  test('a line break in what is sent becomes no header of the answer', async () => {
    const evil = 'x\r\nSet-Cookie: planted=1\r\nX-Planted: 1';
    const answers = await Promise.all([
      api.get('/sign-in', { link: evil }),
      api.get('/v1/credentials', { q: evil }),
      api.get(`/v1/lanes/${encodeURIComponent(evil)}`),
      api.post('/v1/exports', { what: evil }),
      api.app
        .inject({ method: 'GET', url: '/healthz', headers: { 'x-request-id': 'a\nb' } })
        .then(({ headers }) => ({ headers: { ...headers } })),
    ]);
    for (const { headers } of answers) expect(JSON.stringify(headers).toLowerCase()).not.toMatch(/planted|a\\nb/);
  });

  test('changes are taken from pages of this host only', async () => {
    const body = { name: 'x', fingerprint: 'f'.repeat(64) };
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example']) {
      expect((await api.post('/v1/credentials', body, { origin })).status).toBe(403);
    }
    expect((await api.post('/v1/credentials', body, { origin: 'http://localhost:4600' })).status).toBe(201);
  });

  test.each(['name', 'fingerprint', 'hint', 'org', 'owner', 'team', 'project', 'provider'])(
    'a raw key in %s is refused and repeated nowhere',
    async (field) => {
      for (const key of [RAW_KEY, `my key is ${RAW_KEY}!`.slice(0, 128), 'AKIAIOSFODNN7EXAMPLE']) {
        const body = { name: 'n', fingerprint: 'a'.repeat(64), [field]: key.slice(0, field === 'provider' ? 64 : 199) };
        const answer = await api.post('/v1/credentials', body);
        expect(answer.status).toBe(400);
        const everything = JSON.stringify([
          answer.body,
          api.logged,
          await api.database.db.selectFrom('credentials').selectAll().execute(),
        ]);
        expect(everything).not.toContain('Zx9Zx9');
        expect(everything).not.toContain('AKIAIOSFODNN7EXAMPLE');
      }
    },
  );

  test('a raw key in a filter or path is refused and repeated nowhere', async () => {
    for (const answer of [
      await api.get('/v1/ledger', { hint: ['x', RAW_KEY] }),
      await api.get('/v1/lanes', { q: RAW_KEY }),
      await api.get('/v1/credentials', { q: `find ${RAW_KEY}` }),
      await api.get(`/v1/lanes/${RAW_KEY}`),
      await api.get('/v1/ledger', { [RAW_KEY]: '1' }),
      await api.post('/v1/credentials', { name: 'n', [RAW_KEY]: 1 }),
      await api.post('/v1/credentials', { name: 'n', scopes: [{ action: 'read', resource: 'x', [RAW_KEY]: 1 }] }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body.type).toBe('urn:lanewatch:problem:raw_key');
      expect(JSON.stringify([answer.body, api.logged])).not.toContain('Zx9Zx9');
    }
  });

  test.each([
    [{ name: '' }, 'name'],
    [{ fingerprint: '' }, 'fingerprint'],
    [{ fingerprint: 'abc' }, 'fingerprint'],
    [{ fingerprint: '', hint: 'sk-ant-...C001' }, 'org'],
    [{ hint: 'unmasked' }, 'hint'],
    [{ expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ expires_at: '2300-01-01T00:00:00Z' }, 'expires_at'],
    [{ expires_at: '9999-12-31T23:59:59-10:00' }, 'expires_at'],
    [{ name: 'half of a character \ud800' }, 'name'],
    [{ name: 'two\nlines' }, 'name'],
    [{ allowed_cidrs: ['\udfff'] }, 'allowed_cidrs.0'],
    [{ allowed_cidrs: ['10.0.0.0/8', '10.0.0.0/33'] }, 'allowed_cidrs.1'],
    [{ people_declared: 5 }, 'people_declared'],
    [{ scopes: [] }, 'scopes'],
    [{ kind: 'managed', fingerprint: '' }, 'environment'],
    [{ kind: 'managed', fingerprint: '', environment: 'production' }, 'expires_at'],
    [{ kind: 'managed', environment: 'sandbox' }, 'fingerprint'],
    [{ surprise: 1 }, ''],
  ])('a credential with %j is refused with the field’s name', async (parts, field) => {
    const { status, body } = await api.post('/v1/credentials', { name: 'n', fingerprint: '9'.repeat(64), ...parts });
    expect(status).toBe(400);
    expect(body.errors.map(({ path }: { path: string }) => path)).toContain(field);
  });
});
