import { setTimeout as delay } from 'node:timers/promises';
import { credentialRecordSchema, type CredentialRecord } from '@lanewatch/ingest/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestLedger, startTestEngine, type TestEngine, type TestLedger } from '../testing.ts';
import { createCredentialMirror, type CredentialMirror } from './credential-mirror.ts';

const KEY = 'a'.repeat(64);

function record(changes: Partial<CredentialRecord> = {}): CredentialRecord {
  return credentialRecordSchema.parse({
    id: 'cred-1',
    fingerprint: KEY,
    hint: 'sk-ant-…C001',
    name: 'One',
    kind: 'managed',
    org: 'acme',
    status: 'active',
    created_at: '2026-11-20T12:00:00Z',
    version: 1,
    ...changes,
  });
}

describe('the copy of the registry', () => {
  let engine: TestEngine;
  let test: TestLedger;
  const records = new Map<string, CredentialRecord>();
  const mirrors: CredentialMirror[] = [];
  const faults: unknown[] = [];

  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine.stop());
  beforeEach(async () => {
    records.clear();
    faults.length = 0;
    test = await openTestLedger(engine);
  });
  afterEach(async () => {
    for (const mirror of mirrors.splice(0)) await mirror.close();
    await test.close();
  });

  function startMirror(): CredentialMirror {
    const mirror = createCredentialMirror({
      client: test.client,
      database: test.database,
      recordOf: (key) => records.get(key),
      wait: (ms) => delay(ms),
      onFault: (error) => faults.push(error),
    });
    mirrors.push(mirror);
    return mirror;
  }

  function put(mirror: CredentialMirror, key: string, changes: Partial<CredentialRecord>): void {
    records.set(key, record(changes));
    mirror.changed(key);
  }

  const byKey = (attribute: string, key = KEY) =>
    test.rows<[unknown]>(`SELECT dictGet('{database}.credentials_by_key', '${attribute}', '${key}')`);

  it('shows a change to every query as soon as it is settled', async () => {
    const mirror = startMirror();
    mirror.begin();
    put(mirror, KEY, { owner: 'ada@acme.example' });
    await mirror.settled();
    expect(await byKey('owner')).toEqual([['ada@acme.example']]);
    put(mirror, KEY, { owner: 'bob@acme.example', version: 2, revoked_at: '2026-11-21T00:00:00+01:00' });
    await mirror.settled();
    expect(await byKey('owner')).toEqual([['bob@acme.example']]);
    expect(await byKey('revoked_from')).toEqual([['2026-11-20 23:00:00.000']]);
    expect(await test.rows('SELECT hint, status, version FROM {database}.credentials FINAL')).toEqual([
      ['sk-ant-...C001', 'revoked', 2],
    ]);
    expect(
      await test.rows(`SELECT dictGet('{database}.credentials_by_hint', ('record_keys', 'orgs'), 'sk-ant-...C001')`),
    ).toEqual([[{ record_keys: [KEY], orgs: ['acme'] }]]);
    expect(faults).toEqual([]);
  });

  it('keeps the newer version, whoever writes the older one later', async () => {
    const ahead = startMirror();
    ahead.begin();
    put(ahead, KEY, { version: 3, name: 'Three' });
    await ahead.settled();
    records.set(KEY, record({ version: 2, name: 'Two' }));
    const behind = startMirror();
    behind.changed(KEY);
    behind.begin();
    await behind.settled();
    expect(await byKey('name')).toEqual([['Three']]);
  });

  it('at its start takes out what the topic has no more, and takes it in again when it comes back', async () => {
    const before = startMirror();
    before.begin();
    put(before, KEY, {});
    put(before, 'b'.repeat(64), { id: 'cred-2', fingerprint: 'b'.repeat(64) });
    await before.settled();
    records.delete(KEY);
    const after = startMirror();
    after.begin();
    await after.settled();
    expect(await test.rows('SELECT id FROM {database}.credentials FINAL WHERE NOT is_removed')).toEqual([['cred-2']]);
    expect(await byKey('id')).toEqual([['']]);
    put(after, KEY, {});
    await after.settled();
    expect(await byKey('id')).toEqual([['cred-1']]);
  });

  it('writes what came while the table could not be written once it can', async () => {
    const mirror = startMirror();
    const table = `${test.database}.credentials`;
    await test.client.command({ query: `ALTER TABLE ${table} ADD CONSTRAINT closed CHECK version = 0` });
    mirror.begin();
    put(mirror, KEY, {});
    await expect.poll(() => faults.length).toBeGreaterThan(0);
    await test.client.command({ query: `ALTER TABLE ${table} DROP CONSTRAINT closed` });
    await mirror.settled();
    expect(await byKey('id')).toEqual([['cred-1']]);
  });
});
