import { fingerprintOf } from '@lanewatch/ingest/contract';
import { RISK_OF } from '@lanewatch/detector/contract';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { engineOf, registryTargets, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding, FINGERPRINT, topicRecords } from '../testing/registry.ts';

const engine = engineOf(inject('clickhouseServer'));
const KEY = {
  ...{ kind: 'managed', name: 'Pipeline executor', environment: 'production', expires_at: '2099-01-01T00:00:00Z' },
  ...{ scopes: [{ action: 'write', resource: 'runs/*' }], allowed_cidrs: ['10.0.0.0/8'], owner: 'ada@example.com' },
};

describe.each(registryTargets(inject('postgresUrl')))('the life of a key on %s', (_name, openRegistry) => {
  let api: Harness;
  beforeEach(async () => {
    api = await startHarness({ engine, registry: await openRegistry() });
  });
  afterEach(() => api.close());

  const patch = (id: string, body: object) => api.patch(`/v1/credentials/${id}`, body);
  const verify = async (key: string, parts: object = {}): Promise<string> =>
    (await api.post('/v1/credentials/verify', { key, action: 'write', resource: 'runs/1', ip: '10.1.2.3', ...parts }))
      .body.code;

  test('a rotated-out secret is known for its grace and dead after a regeneration; the topic has a record of each secret', async () => {
    const { secret, credential } = (await api.post('/v1/credentials', KEY)).body;
    const rotated = (await api.post(`/v1/credentials/${credential.id}/rotate`, { grace_seconds: 3600 })).body;
    expect(rotated.previous).toMatchObject({ fingerprint: fingerprintOf(secret), state: 'grace' });
    expect([await verify(secret), await verify(rotated.secret)]).toEqual(['VALID', 'VALID']);
    const regenerated = (await api.post(`/v1/credentials/${credential.id}/regenerate`)).body;
    expect(regenerated.credential.id).toBe(credential.id);
    expect([await verify(secret), await verify(rotated.secret), await verify(regenerated.secret)]).toEqual([
      ...['REVOKED', 'REVOKED'],
      'VALID',
    ]);
    const newest = new Map((await topicRecords(api.bus)).map(({ key, record }) => [key, record]));
    expect([...newest.values()].map(({ id }) => id)).toEqual(Array(3).fill(credential.id));
    expect([...newest.values()].filter(({ is_current: isCurrent }) => isCurrent)).toMatchObject([
      { fingerprint: fingerprintOf(regenerated.secret), version: 3 },
    ]);
    expect((await api.post(`/v1/credentials/${credential.id}/revoke`, { confirm: 'another' })).status).toBe(400);
    expect((await api.post(`/v1/credentials/${credential.id}/revoke`, { confirm: KEY.name })).status).toBe(200);
    expect(await verify(regenerated.secret)).toBe('REVOKED');
    for (const act of ['rotate', 'regenerate']) {
      const refused = await api.post(`/v1/credentials/${credential.id}/${act}`);
      expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('for ever')]);
    }
    const log = (await api.get(`/v1/credentials/${credential.id}/log`)).body.items as { action: string }[];
    expect(log.map(({ action }) => action)).toEqual(['revoked', 'regenerated', 'rotated', 'issued']);
  });

  test('before an edit is saved it says which callers of the last week would start failing; the second of two editors is told', async () => {
    const { secret, credential } = (await api.post('/v1/credentials', KEY)).body;
    const fingerprint = fingerprintOf(secret);
    await api.storeRows([
      { fingerprint, ip: '10.1.0.1', user: 'ada' },
      { fingerprint, ip: '10.2.0.1', user: 'bob' },
      { fingerprint, ip: '10.2.0.1', user: 'bob' },
    ]);
    const change = { version: 1, allowed_cidrs: ['10.1.0.0/16'] };
    const tried = await patch(credential.id, { ...change, dry_run: true });
    expect(tried.body.impact).toMatchObject({ callers: 2, calls: 3, callers_failing: 1, calls_failing: 2 });
    expect(tried.body.impact.items[0]).toMatchObject({ user: 'bob', effect: 'fails', reasons: [{ code: 'address' }] });
    expect(await verify(secret, { ip: '10.2.0.1' })).toBe('VALID');
    expect((await patch(credential.id, change)).body).toMatchObject({ published: true, credential: { version: 2 } });
    expect(await verify(secret, { ip: '10.2.0.1' })).toBe('FORBIDDEN_IP');
    expect((await patch(credential.id, { version: 1, name: 'Later' })).status).toBe(409);
    expect((await api.get(`/v1/credentials/${credential.id}/impact`, { act: 'revoke' })).body).toMatchObject({
      callers: 2,
      callers_failing: 2,
    });
  });

  test('registered without owner or organisation a key’s finding stays open as medium, until both are told', async () => {
    await api.storeFindings([
      finding({
        rule: 'R01',
        lane: FINGERPRINT,
        fingerprint: FINGERPRINT,
        severity: 'critical',
        risk: RISK_OF.critical,
      }),
      finding({ rule: 'R01', lane: 'e'.repeat(64), fingerprint: 'e'.repeat(64) }),
    ]);
    const order = async () => (await api.get('/v1/findings')).body.items.map(({ risk }: { risk: number }) => risk);
    expect(await order()).toEqual([RISK_OF.critical, RISK_OF.high]);
    const created = (await api.post('/v1/credentials', { name: 'Nightly report', fingerprint: FINGERPRINT })).body;
    expect(created).toMatchObject({ findings_resolved: 0, findings_lowered: 1, credential: { weakly_governed: true } });
    // It is sorted by what it counts now.
    expect(await order()).toEqual([RISK_OF.high, RISK_OF.medium]);
    const shown = async () => (await api.get('/v1/findings', { lane: FINGERPRINT })).body.items[0];
    expect(await shown()).toMatchObject({ status: 'open', severity: 'medium' });
    await patch(created.credential.id, { version: 1, owner: 'ada@example.com', org: 'acme' });
    expect(await shown()).toMatchObject({ status: 'resolved' });
  });

  test('a renamed project takes keys, their records, its policies and channels along; what is archived is offered no more', async () => {
    const { secret } = (await api.post('/v1/credentials', { ...KEY, project: 'billing' })).body;
    await api.post('/v1/projects', { name: 'billing', owner: 'ada@example.com' });
    await api.put('/v1/policies/maximum_lifetime', { project: 'billing', mode: 'watch', version: 0 });
    const channel = { kind: 'webhook', name: 'Ours', url: 'https://example.com/hook', projects: ['billing', 'lab'] };
    expect((await api.post('/v1/channels', channel)).status).toBe(201);
    await api.post('/v1/projects', { name: 'lab' });
    const refused = await api.patch('/v1/projects/billing', { name: 'lab' });
    expect([refused.status, refused.body.errors[0].path]).toEqual([409, 'name']);
    const renamed = await api.patch('/v1/projects/billing', { name: 'Billing & tax' });
    expect(renamed.body.items).toMatchObject([
      { name: 'Billing & tax', keys_active: 1 },
      { name: 'lab', keys: 0 },
    ]);
    const [key] = (await api.get('/v1/credentials', { project: 'Billing & tax' })).body.items;
    expect(key).toMatchObject({ project: 'Billing & tax', version: 2 });
    expect(await verify(secret)).toBe('VALID');
    expect((await topicRecords(api.bus)).at(-1)!.record).toMatchObject({ project: 'Billing & tax', version: 2 });
    const policy = (await api.get('/v1/policies/maximum_lifetime')).body;
    expect(JSON.stringify(policy)).toContain('Billing & tax');
    expect((await api.get('/v1/channels')).body.items[0].projects).toEqual(['Billing & tax', 'lab']);
    await api.post('/v1/service-accounts', { name: 'pipeline', owner: 'ada@example.com' });
    const owners = async () => (await api.get('/v1/owners')).body.items.map(({ owner }: { owner: string }) => owner);
    expect(await owners()).toEqual(['pipeline']);
    await api.patch('/v1/service-accounts/pipeline', { archived: true });
    expect(await owners()).toEqual([]);
  });

  test('PATCH that gives execute or admin asks for a fresh TOTP code, and what a key holds already does not', async () => {
    const { credential } = (await api.post('/v1/credentials', KEY)).body;
    const grant = (version: number) =>
      patch(credential.id, { version, scopes: [{ action: 'execute', resource: 'runs/*' }] });
    const refused = await grant(1);
    expect([refused.status, refused.body.type]).toEqual([403, 'urn:lanewatch:problem:step_up_needed']);
    const widened = { kind: 'managed', name: 'x', environment: 'sandbox', scopes: [{ action: '*', resource: 'runs' }] };
    expect((await api.post('/v1/credentials', widened)).status).toBe(403);
    expect((await api.get(`/v1/credentials/${credential.id}`)).body).toMatchObject({ version: 1, scopes: KEY.scopes });
    const proved = (at: Date | null) => api.database.db.updateTable('sessions').set({ totp_proved_at: at }).execute();
    await proved(new Date());
    expect((await grant(1)).status).toBe(200);
    await proved(new Date(Date.now() - 16 * 60_000));
    expect((await patch(credential.id, { version: 2, name: 'Another' })).status).toBe(200);
    const more = [
      { action: 'execute', resource: 'runs/*' },
      { action: 'admin', resource: 'runs' },
    ];
    expect((await patch(credential.id, { version: 3, scopes: more })).status).toBe(403);
  });

  test('a form sent twice makes one key and shows its secret both times; another form under the same key is refused', async () => {
    const headers = { 'idempotency-key': 'form-0001' };
    const [first, second] = await Promise.all([
      api.post('/v1/credentials', KEY, headers),
      api.post('/v1/credentials', KEY, headers),
    ]);
    expect([first.status, second.status].toSorted()).toEqual([200, 201]);
    expect(second.body.credential.id).toBe(first.body.credential.id);
    expect(await api.database.db.selectFrom('credentials').select('id').execute()).toHaveLength(1);
    expect((await api.post('/v1/credentials', { ...KEY, name: 'Another' }, headers)).status).toBe(409);
  });

  test('an import says every bad line with its reason, stops at none, and changes nothing on a dry run', async () => {
    const csv = `name,fingerprint,org,owner,allowed_cidrs\nNightly report,${FINGERPRINT},acme,ada,10.0.0.0/8\nBroken,,acme,ada,\nWorse,${'e'.repeat(64)},acme,ada,10.0.0.0/99\n`;
    const tried = (await api.post('/v1/credentials/import', { csv })).body;
    expect(tried.totals).toEqual({ lines: 3, registered: 1, present: 0, bad: 2, weakly_governed: 0 });
    expect((await api.get('/v1/credentials')).body.totals.total).toBe(0);
    const done = (await api.post('/v1/credentials/import', { csv, dry_run: false })).body;
    expect(done.items.map(({ line, outcome }: Record<string, unknown>) => [line, outcome])).toEqual([
      [2, 'registered'],
      [3, 'bad'],
      [4, 'bad'],
    ]);
    expect(done.items[2].errors).toEqual([
      { path: 'allowed_cidrs.0', message: 'must have a prefix length from 0 to 32' },
    ]);
    expect((await api.post('/v1/credentials/import', { csv })).body.totals).toMatchObject({
      registered: 0,
      present: 1,
    });
  });
});
