import { createHash } from 'node:crypto';
import { laneOf } from '@lanewatch/ingest/contract';
import { RISK_OF } from '@lanewatch/detector/contract';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
// What readers of the topic make of it is theirs to say.
import { createCredentialView } from '../../ingest/src/auth/credentials.ts';
import { secretChecksum } from './registry/managed-secret.ts';
import { engineOf, registryTargets, startHarness } from './testing/harness.ts';
import type { Harness } from './testing/harness.ts';
import { finding, FINGERPRINT, HINT, TOPIC, topicRecords } from './testing/registry.ts';

const engine = engineOf(inject('clickhouseServer'));

describe.each(registryTargets(inject('postgresUrl')))('registry on %s', (_name, openRegistry) => {
  let api: Harness;
  beforeEach(async () => {
    api = await startHarness({ engine, registry: await openRegistry() });
  });
  afterEach(() => api.close());

  test('registering a key puts its record on the bus before it answers and resolves what the key had raised', async () => {
    await api.storeRows([{ fingerprint: FINGERPRINT, hint: HINT, session: 's' }]);
    const raised = [
      finding({ rule: 'R01', lane: FINGERPRINT, fingerprint: FINGERPRINT }),
      finding({ rule: 'R02', lane: FINGERPRINT, fingerprint: FINGERPRINT, severity: 'medium', risk: RISK_OF.medium }),
      finding({ rule: 'R05', lane: FINGERPRINT, fingerprint: FINGERPRINT, severity: 'medium', risk: RISK_OF.medium }),
    ];
    await api.storeFindings(raised);
    expect((await api.get('/v1/findings', { status: 'unresolved' })).body.items).toHaveLength(3);

    const created = await api.post('/v1/credentials', {
      name: 'ci',
      fingerprint: `SHA256:${FINGERPRINT.toUpperCase()}`,
      ...{ owner: 'ada', org: 'acme' },
    });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      secret: null,
      findings_resolved: 2,
      published: true,
      credential: { fingerprint: FINGERPRINT, status: 'active', created_by: 'operator', version: 1 },
    });
    expect(created.body.credential).toMatchObject({ last_used_at: expect.any(String), usage: 'available' });
    const records = await topicRecords(api.bus);
    expect(records).toEqual([
      { key: FINGERPRINT, record: expect.objectContaining({ name: 'ci', status: 'active', version: 1 }) as never },
    ]);

    // No detector runs here: what was published is in the engine's copy by the time of the answer.
    const name = `dictGet('${api.store.database}.credentials_by_key', 'name', '${FINGERPRINT}')`;
    expect(await api.store.rows(`SELECT ${name} AS name`)).toEqual([{ name: 'ci' }]);

    const open = (await api.get('/v1/findings', { status: 'unresolved' })).body.items;
    expect(open.map(({ rule }: { rule: string }) => rule)).toEqual(['R05']);
    const resolved = (await api.get(`/v1/findings/${raised[0]!.id}`)).body;
    expect(resolved).toMatchObject({
      status: 'resolved',
      title: 'Unknown key',
      resolution: { by: 'operator', reason: 'registered as ci' },
      facts: { spend_usd: '0.61', users: ['ada'] },
      ledger_filter: { lane: FINGERPRINT },
    });
    const lane = (await api.get(`/v1/lanes/${FINGERPRINT}`)).body;
    expect(lane).toMatchObject({ standing: 'known', match: 'proven', open_findings: 1, credential: { name: 'ci' } });
    // What was written stays as it was.
    expect((await api.get('/v1/ledger', { lane: FINGERPRINT })).body.items[0].standing).toBe('unknown');
  });

  test('the answer to a registration says how the key’s events stand', async () => {
    const register = async (parts: object): Promise<string> =>
      (await api.post('/v1/credentials', { name: 'key', ...parts })).body.standing;
    expect(await register({ hint: HINT, org: 'acme' })).toBe('known');
    expect(await register({ hint: HINT, org: 'other' })).toBe('known');
    expect(await register({ fingerprint: FINGERPRINT, hint: HINT, org: 'acme' })).toBe('known');
    expect(await register({ hint: HINT.replaceAll('.', '*'), org: 'third' })).toBe('known');
    expect(await register({ fingerprint: 'e'.repeat(64), hint: 'sk-ant-...C001' })).toBe('known');
    expect(await register({ hint: 'sk-ant-...C001', org: 'acme' })).toBe('ambiguous');
  });

  test('registering is offered where it can make the lane known: not for a hint without an org', async () => {
    const lanes = { 'with org': laneOf('', HINT, 'acme'), without: laneOf('', HINT, '') };
    await api.storeRows([
      { hint: HINT, org: 'acme', lane: lanes['with org'] },
      { hint: HINT, lane: lanes.without },
    ]);
    const actionsOn = async (lane: string): Promise<string[]> =>
      (await api.get(`/v1/lanes/${lane}`)).body.response_path.credential_actions;
    expect(await actionsOn(lanes['with org'])).toEqual(['register']);
    expect(await actionsOn(lanes.without)).toEqual([]);
    const banner = (await api.get('/v1/overview')).body.banner as { lane: string; registration: string }[];
    expect(Object.fromEntries(banner.map(({ lane, registration }) => [lane, registration]))).toEqual({
      [lanes['with org']]: 'helps',
      [lanes.without]: 'needs_fingerprint',
    });
    await api.storeFindings([
      finding({ rule: 'R01', lane: lanes['with org'], org: 'acme' }),
      finding({ rule: 'R01', lane: lanes.without }),
      finding({ rule: 'R05', lane: lanes.without }),
    ]);
    const answers = async () =>
      (await api.get('/v1/findings')).body.items
        .map(
          ({ rule, lane, registration }: Record<string, string>) => `${rule} ${lane === lanes.without} ${registration}`,
        )
        .toSorted();
    expect(await answers()).toEqual(['R01 false helps', 'R01 true needs_fingerprint', 'R05 true not_needed']);
    await api.post('/v1/credentials', { name: 'by hint', hint: HINT, org: 'acme', owner: 'ada' });
    expect((await api.get(`/v1/lanes/${lanes.without}`)).body.standing).toBe('ambiguous');
    expect(await answers()).toEqual(['R01 false not_needed', 'R01 true needs_fingerprint', 'R05 true not_needed']);
  });

  test('revoking is for ever: the record on the bus says so, a second one and a new registration are refused', async () => {
    const { body } = await api.post('/v1/credentials', {
      name: 'ci',
      fingerprint: FINGERPRINT,
      owner: 'ada',
      org: 'acme',
    });
    const { id } = body.credential;
    const revoked = await api.post(`/v1/credentials/${id}/revoke`, { reason: 'left the company' });
    expect(revoked.status).toBe(200);
    expect(revoked.body).toMatchObject({
      status: 'revoked',
      published: true,
      revoked_by: 'operator',
      revoke_reason: 'left the company',
      version: 2,
    });
    const last = (await topicRecords(api.bus)).at(-1);
    expect(last).toMatchObject({ key: FINGERPRINT, record: { status: 'revoked', version: 2 } });
    expect((await api.post(`/v1/credentials/${id}/revoke`)).status).toBe(409);
    const again = await api.post('/v1/credentials', { name: 'ci again', fingerprint: FINGERPRINT });
    expect(again.status).toBe(409);
    expect(again.body.detail).toContain(id);
    expect(again.body.detail).toContain('revoked');
    await api.storeRows([{ fingerprint: FINGERPRINT, standing: 'revoked' }]);
    const lane = (await api.get(`/v1/lanes/${FINGERPRINT}`)).body;
    expect(lane.standing).toBe('revoked');
    expect(lane.posture[0].reason).toBe('revoked_in_use');
    expect(lane.response_path.credential_actions).toEqual([]);
    expect((await api.post('/v1/credentials/cred_none/revoke')).status).toBe(404);
  });

  test('a key that nobody registered is put on record as revoked in one act: it is never known in between', async () => {
    await api.storeRows([{ fingerprint: FINGERPRINT, hint: HINT }]);
    await api.storeFindings([finding({ rule: 'R01', lane: FINGERPRINT, fingerprint: FINGERPRINT })]);
    const names = { fingerprint: FINGERPRINT, hint: HINT, org: 'acme' };
    expect((await api.post('/v1/credentials/refuse', names)).body.errors).toMatchObject([{ path: 'reason' }]);
    const refused = await api.post('/v1/credentials/refuse', { ...names, reason: 'nobody owns it' });
    expect(refused.status).toBe(201);
    expect(refused.body).toMatchObject({
      ...{ name: `Refused: ${HINT}`, status: 'revoked', revoke_reason: 'nobody owns it', revoked_by: 'operator' },
      ...{ published: true, findings_resolved: 1 },
    });
    expect(await topicRecords(api.bus)).toMatchObject([
      { key: FINGERPRINT, record: { status: 'revoked', version: 2 } },
    ]);
    expect((await api.get('/v1/findings', { status: 'unresolved' })).body.items).toEqual([]);
    expect((await api.post('/v1/credentials/refuse', { ...names, reason: 'again' })).status).toBe(409);
  });

  test('the same key twice is refused with the name of the one that is there', async () => {
    const first = await api.post('/v1/credentials', { name: 'first', fingerprint: FINGERPRINT });
    const second = await api.post('/v1/credentials', { name: 'second', fingerprint: FINGERPRINT });
    expect(second.status).toBe(409);
    expect(second.body.detail).toContain('first');
    expect(second.body.errors).toEqual([
      { path: 'fingerprint', message: `is registered as ${first.body.credential.id}` },
    ]);
    await api.post('/v1/credentials', { name: 'by hint', hint: HINT, org: 'acme', owner: 'ada' });
    expect((await api.post('/v1/credentials', { name: 'again', hint: HINT, org: 'acme' })).status).toBe(409);
    expect((await api.post('/v1/credentials', { name: 'elsewhere', hint: HINT, org: 'other' })).status).toBe(201);
  });

  test('of many registrations of one key at once exactly one succeeds', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        api.post('/v1/credentials', { name: `n${index}`, fingerprint: FINGERPRINT }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
    expect(await topicRecords(api.bus)).toHaveLength(1);
  });

  test('a managed key’s secret has its form and checksum, comes once, and is nowhere afterwards', async () => {
    const { status, body } = await api.post('/v1/credentials', {
      kind: 'managed',
      name: 'collector',
      environment: 'staging',
    });
    expect(status).toBe(201);
    const parts = /^lw_staging_([0-9A-Za-z]{32})_([0-9A-Za-z]{6})$/.exec(body.secret);
    expect(parts).not.toBeNull();
    expect(secretChecksum(parts![1]!)).toBe(parts![2]);
    const fingerprint = createHash('sha256').update(body.secret).digest('hex');
    expect(body.credential).toMatchObject({
      fingerprint,
      provider: 'lanewatch',
      scopes: [{ action: 'write', resource: 'usage-events' }],
    });
    const dump = JSON.stringify([
      await api.database.db.selectFrom('credentials').selectAll().execute(),
      await api.database.db.selectFrom('outbox').selectAll().execute(),
      await api.database.db.selectFrom('audit_trail').selectAll().execute(),
      await topicRecords(api.bus),
      api.logged,
      (await api.get(`/v1/credentials/${body.credential.id}`)).body,
    ]);
    expect(dump).toContain(fingerprint);
    expect(dump).not.toContain(parts![1]);
  });

  test('who may ship events is told by the rule that ingest applies', async () => {
    const view = createCredentialView();
    const follow = await api.bus.followLatest(TOPIC.name, (record) => void view.apply(record));
    const collectors = new Set<string>();
    for (const [action, resource] of [
      ['write', 'usage-events'],
      ['write', '*'],
      ['write', '/usage-*'],
      ['read', '*'],
      ['write', 'ledger'],
    ]) {
      const scopes = [{ action, resource }];
      const name = `${action} on ${resource}`;
      const created = await api.post('/v1/credentials', { kind: 'managed', name, environment: 'staging', scopes });
      const { credential } = created.body;
      await follow.caughtUp();
      expect(view.find(credential.fingerprint)?.mayWriteEvents, name).toBe(credential.may_ship_events);
      if (credential.may_ship_events === true) collectors.add(credential.id as string);
    }
    await follow.close();
    expect(collectors.size).toBe(3);
    const shown = (await api.get('/v1/overview')).body.collectors as { collector: string }[];
    expect(new Set(shown.map(({ collector }) => collector))).toEqual(collectors);
  });

  test('the list filters, finds texts with wildcards as they are, counts everything and pages', async () => {
    for (const name of ['alpha', '100%_real', 'gamma']) {
      const fingerprint = createHash('sha256').update(name).digest('hex');
      expect((await api.post('/v1/credentials', { name, fingerprint, owner: 'ada' })).status).toBe(201);
    }
    const namesOf = async (query: Record<string, string>): Promise<string[]> =>
      (await api.get('/v1/credentials', query)).body.items.map(({ name }: { name: string }) => name);
    expect(await namesOf({})).toEqual(['gamma', '100%_real', 'alpha']);
    expect(await namesOf({ q: '%_R' })).toEqual(['100%_real']);
    expect(await namesOf({ q: `' OR 1=1 --` })).toEqual([]);
    expect(await namesOf({ kind: 'managed' })).toEqual([]);
    const first = (await api.get('/v1/credentials', { limit: '2' })).body;
    expect(first.totals).toEqual({ total: 3, active: 3, expired: 0, revoked: 0 });
    expect(await namesOf({ limit: '2', cursor: first.next_cursor })).toEqual(['alpha']);
  });
});
