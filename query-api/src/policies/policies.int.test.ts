import { fingerprintOf, proxyPolicySchema } from '@lanewatch/ingest/contract';
import type { ProxyPolicy } from '@lanewatch/ingest/contract';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { credentialCreateSchema } from '../../contract/index.ts';
import type { PolicyId } from '../../contract/index.ts';
import { change } from '../registry/registry.ts';
import { registerCredential } from '../registry/register.ts';
import { engineOf, registryTargets, startHarness, until } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { topicRecords } from '../testing/registry.ts';
import { visitorOf } from '../testing/visitor.ts';
import { changeKeys } from '../registry/change-keys.ts';
import { readPolicyDetail } from './overview.ts';

const engine = engineOf(inject('clickhouseServer'));
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const ADA = 'ada@example.com';
const KEY = {
  ...{ kind: 'managed', name: 'Pipeline executor', environment: 'production', expires_at: '2099-01-01T00:00:00Z' },
  ...{ scopes: [{ action: 'write', resource: 'runs' }], owner: ADA, owner_kind: 'person' },
};

describe.each(registryTargets(inject('postgresUrl')))('policies on %s', (_name, openRegistry) => {
  let api: Harness;
  let nowMs: number;
  beforeEach(async () => {
    nowMs = Date.now();
    api = await startHarness({ engine, registry: await openRegistry(), now: () => nowMs });
  });
  afterEach(() => api.close());

  /** Not the whole schedule: with a clock far ahead it would end the test's own session. */
  const run = async (...ids: string[]): Promise<void> => {
    for (const id of ids) await api.services.scheduler.runNow(`policies.${id}`, 'test', 20_000);
  };
  const issue = async (parts: object = {}) => (await api.post('/v1/credentials', { ...KEY, ...parts })).body;
  const put = (id: string, mode: string, settings: object, version = 0) =>
    api.put(`/v1/policies/${id}`, { mode, settings, version });
  // Not by HTTP: a clock far ahead ends the session that would ask.
  const verify = async (key: string, parts: object = {}): Promise<string> => {
    const { verifier } = api.services;
    await verifier.refresh();
    return verifier.verify({ key, action: 'write', resource: 'runs', ip: '10.1.2.3', ...parts }).code;
  };
  const policy = (id: PolicyId) => readPolicyDetail(api.services.policies, id);
  async function signIn(email: string, role: 'viewer' | 'responder' = 'viewer') {
    const { auth } = api.services.accounts;
    const { user } = await auth.api.createUser({ body: { email, name: email, role, data: { emailVerified: true } } });
    const who = visitorOf(api.app);
    await who.ask('POST', '/v1/sign-in', {
      link: (await auth.api.createSignInLink({ body: { userId: user.id } })).token,
    });
    return who;
  }

  test('an old secret waits for its owner, who alone collects the new one, once; the old one drains and ends', async () => {
    const { secret, credential } = await issue();
    const settings = { every_days: 1 / 1440, grace_days: 1 / 24, collect_within_days: 2 };
    expect((await put('auto_rotation', 'enforce', settings)).body).toMatchObject({ covers: 1, violations: 0 });
    await run('rotate');
    nowMs += 5 * MINUTE_MS;
    await run('rotate', 'collections', 'rotate', 'collections');
    const [waiting, ...more] = (await api.get('/v1/collections')).body.items;
    expect([waiting.credential_id, more]).toEqual([credential.id, []]);
    // Nothing about the key has changed yet, and nowhere is there a second secret.
    expect(await topicRecords(api.bus)).toHaveLength(1);
    const collect = `/v1/collections/${waiting.id}/collect`;
    expect((await (await signIn('eve@example.com', 'responder')).ask('POST', collect)).status).toBe(403);
    const ada = await signIn(ADA);
    expect((await api.post(collect)).status).toBe(403);
    expect((await ada.ask('GET', `/v1/collections/${waiting.id}`)).body).toMatchObject({ may_collect: true });
    const collected = await ada.ask('POST', collect);
    expect(collected.body).toMatchObject({ credential_id: credential.id, published: true });
    expect((await ada.ask('POST', collect)).status).toBe(409);
    const [, offered] = (await topicRecords(api.bus)).slice(-2);
    expect(offered!.record.fingerprint).toBe(fingerprintOf(collected.body.secret));
    expect([await verify(secret), await verify(collected.body.secret)]).toEqual(['VALID', 'VALID']);
    nowMs += 61 * MINUTE_MS;
    expect([await verify(secret), await verify(collected.body.secret)]).toEqual(['REVOKED', 'VALID']);
  });

  test('what nobody collects ends the key at its last date, but never without a warning before, wherever the clock jumps', async () => {
    const { secret } = await issue();
    await put('auto_rotation', 'enforce', { every_days: 1, grace_days: 1, collect_within_days: 8 });
    nowMs += DAY_MS + MINUTE_MS;
    await run('rotate', 'collections', 'rotate', 'collections');
    nowMs += 400 * DAY_MS;
    await run('rotate', 'collections', 'rotate', 'collections');
    expect(await verify(secret)).toBe('VALID');
    nowMs += DAY_MS;
    await run('collections', 'collections');
    expect(await verify(secret)).toBe('EXPIRED');
    const { notices, collections } = await policy('auto_rotation');
    expect(collections).toEqual([]);
    expect(notices.map(({ kind }) => kind).toSorted()).toEqual([
      ...['rotation.last_warning', 'rotation.missed', 'rotation.offered'],
    ]);
  });

  test('each warning is raised once, the nearest only for whoever was down, and again for another end', async () => {
    const ends = (days: number) => new Date(nowMs + days * DAY_MS).toISOString();
    const { credential } = await issue({ expires_at: ends(31) });
    await put('expiry_alerts', 'watch', { days: [30, 14, 7, 1] });
    await run('notices');
    const thresholds = async () => (await policy('expiry_alerts')).notices.map(({ threshold }) => threshold);
    expect(await thresholds()).toEqual([]);
    for (const days of [2, 0, 22, -3, 1, 8.5]) {
      nowMs += days * DAY_MS;
      await run('notices', 'notices');
    }
    expect(await thresholds()).toEqual(['1d', '7d', '30d']);
    const { db } = api.database;
    const row = await db
      .selectFrom('credentials')
      .selectAll()
      .where('id', '=', credential.id)
      .executeTakeFirstOrThrow();
    const wanted = [{ row, fields: { expires_at: new Date(ends(6)) }, detail: '' }];
    await change(db, (transaction) => changeKeys(transaction, wanted, { actor: ADA, at: new Date(nowMs) }));
    nowMs += 2 * 3_600_000;
    await run('notices');
    expect(await thresholds()).toEqual(['7d', '1d', '7d', '30d']);
  });

  test('what holds for requests through the proxy is on the bus whole, by project, and names the keys whose requests break it', async () => {
    const published: ProxyPolicy[] = [];
    await api.bus.followLatest('lanewatch.policies.v1', ({ value }) => {
      published.push(proxyPolicySchema.parse(JSON.parse(value.toString('utf8'))));
    });
    const latest = (places: number) =>
      until(
        () => Promise.resolve(published.at(-1)),
        (policy) => policy?.places.length === places,
      );
    const { credential, secret } = await issue();
    await issue({ name: 'Another' });
    await api.storeRows([
      {
        ...{ fingerprint: fingerprintOf(secret), credential_id: credential.id, source: 'proxy/openai' },
        flags: ['would_be_refused'],
      },
    ]);
    expect((await put('proxy_refusal', 'watch', { refuse: ['network', 'nonsense'] })).status).toBe(400);
    const set = await put('proxy_refusal', 'watch', { refuse: ['unknown', 'network'] });
    expect(set.body).toMatchObject({ covers: 2, violations: 1, breaking: [{ credential_id: credential.id }] });
    await api.put('/v1/policies/proxy_refusal', { project: 'lab', mode: 'enforce', version: 0 });
    const organisation = { project: '', mode: 'watch', refuse: ['unknown', 'network'] };
    expect((await latest(2))!.places).toEqual([organisation, { ...organisation, project: 'lab', mode: 'enforce' }]);
    await api.put('/v1/policies/proxy_refusal', { project: 'lab', mode: 'inherit', version: 1 });
    expect((await latest(1))!.places).toEqual([organisation]);
    // It is about requests as they come: nothing can be applied to keys.
    expect((await api.post('/v1/policies/proxy_refusal/apply', { version: 1 })).status).toBe(409);
  });

  test('applying shows every change with its reason first, is one audited act, and holds at verify', async () => {
    const seen = await issue({ name: 'Seen' });
    const unseen = await issue({ name: 'Unseen' });
    await api.storeRows([
      { fingerprint: fingerprintOf(seen.secret), ip: '10.1.2.3' },
      { fingerprint: fingerprintOf(seen.secret), ip: '2001:db8::1' },
      { fingerprint: fingerprintOf(seen.secret), ip: '203.0.113.9', outcome: 'denied' },
    ]);
    expect((await api.post('/v1/policies/ip_locking/preview')).status).toBe(409);
    await put('ip_locking', 'watch', { observe_days: 30 });
    const preview = (await api.post('/v1/policies/ip_locking/preview')).body;
    expect(preview).toMatchObject({ version: 1, changes: 1, skipped: 1, is_complete: true });
    const items = new Map<string, unknown>(preview.items.map((item: { name: string }) => [item.name, item]));
    expect(items.get('Seen')).toMatchObject({
      why: 'It works from any address.',
      changes: [{ field: 'allowed_cidrs', before: [], after: ['10.1.2.0/24', '2001:db8::/64'] }],
    });
    expect(items.get('Unseen')).toMatchObject({ changes: [], skipped: expect.stringContaining('nothing to propose') });
    expect(await verify(seen.secret, { ip: '192.0.2.1' })).toBe('VALID');
    expect((await api.post('/v1/policies/ip_locking/apply', { version: 2 })).status).toBe(409);
    const applied = (await api.post('/v1/policies/ip_locking/apply', { version: 1 })).body;
    expect(applied).toMatchObject({ changed: 1, skipped: 1, ended_at: expect.any(String) });
    expect([await verify(seen.secret), await verify(seen.secret, { ip: '192.0.2.1' })]).toEqual([
      'VALID',
      'FORBIDDEN_IP',
    ]);
    expect(await verify(unseen.secret, { ip: '192.0.2.1' })).toBe('VALID');
    const events = await api.database.db.selectFrom('audit_trail').select('action').execute();
    expect(events.filter(({ action }) => action === 'policy.applied')).toHaveLength(1);
    expect((await policy('ip_locking')).violations).toBe(1);
  });

  test('a maximum lifetime brings ends forward once, by the project’s own setting where it has one, and unprivileged keys keep their scopes', async () => {
    const endless = await issue({ environment: 'sandbox', expires_at: null });
    const ours = await issue({ project: 'lab' });
    await put('maximum_lifetime', 'enforce', { max_days: 30, notice_days: 14 });
    await api.put('/v1/policies/maximum_lifetime', { project: 'lab', mode: 'off', version: 0 });
    const ends = async (id: string) => (await api.get(`/v1/credentials/${id}`)).body.expires_at;
    for (let hours = 0; hours < 3; hours += 1, nowMs += 3_600_000) await run('enforce');
    const createdMs = Date.parse(endless.credential.created_at);
    expect(Date.parse(await ends(endless.credential.id))).toBe(createdMs + 30 * DAY_MS);
    const changedBy = await api.database.db
      .selectFrom('credentials')
      .select('changed_by')
      .where('id', '=', endless.credential.id)
      .executeTakeFirstOrThrow();
    expect(changedBy).toEqual({ changed_by: 'lanewatch' });
    expect(await ends(ours.credential.id)).toBe('2099-01-01T00:00:00.000Z');
    expect((await policy('maximum_lifetime')).compliance).toBe(1);
    expect((await api.put('/v1/policies/usage_monitoring', { mode: 'enforce', version: 0 })).status).toBe(400);
    await put('mfa_for_execute', 'enforce', {});
    const parts = {
      db: api.database.db,
      store: api.store,
      modules: api.config.modules,
      nowMs,
      onFault: () => undefined,
    };
    const scopes = [
      { action: 'execute', resource: 'runs' },
      { action: 'admin', resource: 'agents' },
    ];
    // Whoever gives these scopes proves a code; who answers for the key here has no second factor.
    const { row } = await registerCredential(parts, credentialCreateSchema.parse({ ...KEY, scopes }), ADA);
    await run('enforce');
    expect((await api.get(`/v1/credentials/${row.id}`)).body.scopes).toEqual([
      { action: 'read', resource: 'agents' },
      { action: 'write', resource: 'agents' },
    ]);
  });
});
