import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { event, idsOn, json, type Problem } from './testing/requests.ts';
import { collectorRecord, createTestServer, newSecret, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => (server = await createTestServer()));
afterEach(() => server.app.close());

const ids = () => idsOn(server);

describe('who may send', () => {
  const attempt = async (change: Parameters<typeof collectorRecord>[1], headers: Record<string, string> = {}) => {
    const secret = newSecret();
    server.credentials.apply({ key: null, value: Buffer.from(json(collectorRecord(secret, change))) });
    return server.post('/v1/events', json(event(1)), { authorization: `Bearer ${secret}`, ...headers });
  };

  test('no key, another scheme and an unknown key are 401 with a challenge', async () => {
    for (const authorization of ['', 'Basic abc', 'Bearer', `Bearer ${newSecret()}`, `Bearer ${'x'.repeat(10_000)}`]) {
      const answer = await server.post('/v1/events', json(event(1)), { authorization });
      expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="lanewatch"' } });
    }
  });

  test('the key may come in x-api-key', async () => {
    const answer = await server.post('/v1/events', json(event(1)), { authorization: '', 'x-api-key': server.secret });
    expect(answer.status).toBe(200);
  });

  test.each([
    [{ status: 'revoked' as const }, /was revoked/],
    [{ revoked_at: '2026-01-01T00:00:00Z' }, /was revoked/],
    [{ grace_ends_at: '2026-01-01T00:00:00Z' }, /was revoked/],
    [{ status: 'expired' as const }, /has expired/],
    [{ expires_at: '2026-01-01T00:00:00Z', grace_ends_at: '2999-01-01T00:00:00Z' }, /has expired/],
    [{ expires_at: '2026-01-01T00:00:00Z' }, /has expired/],
    [{ scopes: [] }, /no scope write/],
    [{ scopes: [{ action: 'read' as const, resource: '*' }] }, /no scope write/],
    [{ scopes: [{ action: 'write' as const, resource: 'ledger' }] }, /no scope write/],
    [{ allowed_cidrs: ['10.0.0.0/8'] }, /address/],
    [{ allowed_cidrs: ['::/0'] }, /address/],
    [{ allowed_cidrs: ['10.0.0.0/99', 'nonsense'] }, /address/],
  ])('%o is 403 with the reason', async (change, reason) => {
    const answer = await attempt(change);
    expect(answer.status).toBe(403);
    expect(answer.json<Problem>().detail).toMatch(reason);
    expect(ids()).toEqual([]);
  });

  test.each([
    { status: 'revoked' as const, grace_ends_at: '2999-01-01T00:00:00Z' },
    { expires_at: '2999-01-01T00:00:00Z' },
    { scopes: [{ action: 'admin' as const, resource: '*' }] },
    { scopes: [{ action: '*' as const, resource: 'usage-*' }] },
    { allowed_cidrs: ['127.0.0.0/8'] },
    { allowed_cidrs: ['::1', '127.0.0.1'] },
  ])('%o may send', async (change) => {
    expect((await attempt(change)).status).toBe(200);
  });

  test('a provider key that is only registered cannot authenticate', async () => {
    expect((await attempt({ kind: 'registered' })).status).toBe(401);
  });

  test('an older record does not undo a newer one, a tombstone removes the key', async () => {
    const secret = newSecret();
    const apply = (version: number, status: 'active' | 'revoked') =>
      server.credentials.apply({ key: null, value: Buffer.from(json(collectorRecord(secret, { version, status }))) });
    const status = async () => (await server.post('/v1/events', '[]', { authorization: `Bearer ${secret}` })).status;
    apply(2, 'revoked');
    apply(1, 'active');
    expect(await status()).toBe(403);
    apply(3, 'active');
    expect(await status()).toBe(200);
    server.credentials.apply({ key: collectorRecord(secret).fingerprint, value: Buffer.alloc(0) });
    expect(await status()).toBe(401);
  });

  test('a forwarded address counts only from a proxy that is trusted', async () => {
    const change = { allowed_cidrs: ['10.0.0.0/8'] };
    const headers = { 'x-forwarded-for': '10.1.2.3' };
    expect((await attempt(change, headers)).status).toBe(403);
    await server.app.close();
    server = await createTestServer({ trustedProxies: ['127.0.0.1'] });
    expect((await attempt(change, headers)).status).toBe(200);
    expect((await attempt(change, { 'x-forwarded-for': '::ffff:10.1.2.3' })).status).toBe(200);
    expect((await attempt(change, { 'x-forwarded-for': '10.1.2.3:50432' })).status).toBe(200);
    // The first address is what the sender claims; the last untrusted one is what the proxy saw.
    expect((await attempt(change, { 'x-forwarded-for': '10.1.2.3, 192.0.2.1' })).status).toBe(403);
  });

  test('before credentials are known every sender is told to come again, and readiness says why', async () => {
    await server.app.close();
    server = await createTestServer({ notReadyReason: () => 'still reading' });
    expect(await server.post('/v1/events', '[]')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    const ready = await server.app.inject('/readyz');
    expect([ready.statusCode, ready.json()]).toEqual([503, { ready: false, reason: 'still reading' }]);
    expect((await server.app.inject('/healthz')).statusCode).toBe(200);
  });
});
