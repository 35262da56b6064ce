import { laneOf } from '@lanewatch/ingest/contract';
import { RISK_OF } from '@lanewatch/detector/contract';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { credentialCreateSchema } from '../../contract/index.ts';
import { draftCredential } from '../registry/draft.ts';
import { startPublisher } from '../registry/publisher.ts';
import { addCredential } from '../registry/add.ts';
import { engineOf, registryTargets, startHarness, until } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding, FINGERPRINT, HINT, TOPIC } from '../testing/registry.ts';

const engine = engineOf(inject('clickhouseServer'));

describe.each(registryTargets(inject('postgresUrl')))('triage on %s', (_name, openRegistry) => {
  let api: Harness;
  beforeEach(async () => {
    api = await startHarness({ engine, registry: await openRegistry() });
  });
  afterEach(() => api.close());

  test('a resolved finding that occurs again is re-opened', async () => {
    await api.storeFindings([finding({ rule: 'R01', lane: FINGERPRINT })]);
    await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT, owner: 'ada', org: 'acme' });
    expect((await api.get('/v1/findings')).body.items[0].status).toBe('resolved');
    const later = new Date(Date.now() + 60_000).toISOString();
    await api.storeFindings([finding({ rule: 'R01', lane: FINGERPRINT, occurrences: 2, last_received_at: later })]);
    const [again] = (await api.get('/v1/findings', { status: 'unresolved' })).body.items;
    expect(again).toMatchObject({ status: 'reopened', resolution: null, occurrences: 2 });
  });

  test('a page of unresolved findings offers a next one only when that shows something', async () => {
    const others = ['e', 'f'].map((digit) => digit.repeat(64));
    await api.storeFindings([
      finding({ rule: 'R01', lane: FINGERPRINT, fingerprint: FINGERPRINT, severity: 'medium', risk: RISK_OF.medium }),
      ...others.map((lane) => finding({ rule: 'R01', lane, fingerprint: lane })),
    ]);
    const pageOf = async (query: Record<string, string>): Promise<[string[], string | null]> => {
      const { items, next_cursor: cursor } = (await api.get('/v1/findings', { status: 'unresolved', ...query })).body;
      return [items.map(({ lane }: { lane: string }) => lane), cursor];
    };
    const [first, cursor] = await pageOf({ limit: '2' });
    expect(first.toSorted()).toEqual(others);
    expect(await pageOf({ limit: '2', cursor: cursor! })).toEqual([[FINGERPRINT], null]);
    await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT, owner: 'ada', org: 'acme' });
    expect(await pageOf({ limit: '2' })).toEqual([first, null]);
  });

  test('what occurred while the bus was away re-opens nothing once the registration has reached it', async () => {
    await api.services.publisher.close();
    const lane = FINGERPRINT;
    const { body } = await api.post('/v1/credentials', {
      name: 'ci',
      fingerprint: FINGERPRINT,
      owner: 'ada',
      org: 'acme',
    });
    expect(body.published).toBe(false);
    const minutes = (count: number): string => new Date(Date.now() + count * 60_000).toISOString();
    await api.storeFindings([finding({ rule: 'R01', lane, last_received_at: minutes(30) })]);
    const status = async (): Promise<string> => (await api.get('/v1/findings')).body.items[0].status;
    expect(await status()).toBe('reopened');

    const publishAt = async (now: number): Promise<void> => {
      const publisher = startPublisher({
        ...{ database: api.database, bus: api.bus, topic: TOPIC, now: () => now },
        onFault: (error) => {
          throw error;
        },
      });
      await until(
        () => publisher.unsent(),
        (rows) => rows === 0,
      );
      await publisher.close();
    };
    await publishAt(Date.parse(minutes(31)));
    expect(await status()).toBe('resolved');

    // Later records of the key move nothing: what occurs after the decision is a regression.
    await api.storeFindings([finding({ rule: 'R01', lane, occurrences: 2, last_received_at: minutes(40) })]);
    await api.patch(`/v1/credentials/${body.credential.id}`, { team: 'build' });
    await publishAt(Date.parse(minutes(50)));
    expect(await status()).toBe('reopened');
  });

  test('a finding that reaches the store after the registration is resolved as well', async () => {
    await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT, owner: 'ada', org: 'acme' });
    const before = new Date(Date.now() - 1_000).toISOString();
    await api.storeFindings([finding({ rule: 'R01', lane: FINGERPRINT, last_received_at: before })]);
    expect((await api.get('/v1/findings')).body.items[0].status).toBe('resolved');
  });

  test('registering by hint and org resolves the hint’s lane and lanes of fingerprints seen with both', async () => {
    const hintLane = laneOf('', HINT, 'acme');
    await api.storeFindings([
      finding({ rule: 'R01', lane: hintLane, org: 'acme' }),
      finding({ rule: 'R01', lane: FINGERPRINT, fingerprint: FINGERPRINT, org: 'acme' }),
      finding({ rule: 'R01', lane: 'e'.repeat(64), fingerprint: 'e'.repeat(64), org: 'other' }),
    ]);
    const created = await api.post('/v1/credentials', { name: 'ci', hint: HINT, org: 'acme', owner: 'ada' });
    expect(created.body.findings_resolved).toBe(2);
    const open = (await api.get('/v1/findings', { status: 'unresolved' })).body.items;
    expect(open.map(({ lane }: { lane: string }) => lane)).toEqual(['e'.repeat(64)]);
  });

  test('a registration by hint and org while the ledger is away answers lanes of fingerprints all the same', async () => {
    const registered = await addCredential(
      api.database.db,
      draftCredential(
        credentialCreateSchema.parse({ name: 'ci', hint: HINT, org: 'acme', owner: 'ada' }),
        'test',
        Date.now(),
      ),
      () => ({
        decided: [{ lane: laneOf('', HINT, 'acme'), rules: ['R01'], status: 'resolved', reason: 'registered as ci' }],
        unsettled: [],
      }),
    );
    expect(registered.row.fingerprint).toBe('');
    const at = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
    const onLane = (digit: string, parts: object) => {
      const fingerprint = digit.repeat(64);
      return finding({ rule: 'R01', lane: fingerprint, fingerprint, org: 'acme', last_received_at: at(-60), ...parts });
    };
    await api.storeFindings([
      onLane('a', {}),
      onLane('b', { org: 'other' }),
      onLane('c', { hint: '' }),
      onLane('d', { last_received_at: at(60) }),
    ]);
    const { items } = (await api.get('/v1/findings')).body;
    const statuses = items.map((item: { lane: string; status: string }) => [item.lane[0], item.status]);
    expect(Object.fromEntries(statuses)).toEqual({ a: 'resolved', b: 'open', c: 'open', d: 'reopened' });
    expect((await api.get('/v1/overview')).body.open_findings.high).toBe(3);

    // A second key with that hint and org makes all of it ambiguous again.
    await api.post('/v1/credentials', {
      name: 'two',
      fingerprint: 'e'.repeat(64),
      hint: HINT,
      org: 'acme',
      owner: 'ada',
    });
    expect((await api.get('/v1/overview')).body.open_findings.high).toBe(4);
  });

  test('a key with a fingerprint answers nothing on other fingerprints with its hint', async () => {
    await api.post('/v1/credentials', { name: 'one', fingerprint: FINGERPRINT, hint: HINT, org: 'acme', owner: 'ada' });
    const fingerprint = 'e'.repeat(64);
    const before = new Date(Date.now() - 60_000).toISOString();
    await api.storeFindings([
      finding({ rule: 'R01', lane: fingerprint, fingerprint, org: 'acme', last_received_at: before }),
    ]);
    expect((await api.get('/v1/findings')).body.items[0].status).toBe('open');
  });

  test('a second key with the same hint and org leaves the ambiguous lane’s findings open', async () => {
    const lane = laneOf('', HINT, 'acme');
    await api.post('/v1/credentials', { name: 'one', fingerprint: FINGERPRINT, hint: HINT, org: 'acme', owner: 'ada' });
    await api.storeFindings([
      finding({
        rule: 'R02',
        lane,
        org: 'acme',
        last_received_at: new Date().toISOString(),
      }),
    ]);
    const created = await api.post('/v1/credentials', {
      name: 'two',
      fingerprint: 'e'.repeat(64),
      hint: HINT,
      org: 'acme',
      owner: 'ada',
    });
    expect(created.status).toBe(201);
    expect(created.body.findings_resolved).toBe(0);
    expect((await api.get('/v1/findings')).body.items[0].status).toBe('open');
  });
});
