import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { EXPORT_HEADER, SESSION_COOKIE } from '../../contract/index.ts';
import type { Evidence, OnboardingStep } from '../../contract/index.ts';
import { checkExport, proofOf } from '../exports/check.ts';
import { engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';

let api: Harness;
let directory: string;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
  directory = await mkdtemp(join(tmpdir(), 'lanewatch-evidence-'));
});
afterAll(async () => {
  await api.close();
  await rm(directory, { recursive: true, force: true });
});

const missing = async (): Promise<string[]> => {
  const { steps } = (await api.get('/v1/onboarding')).body as { steps: OnboardingStep[] };
  return steps.filter(({ state }) => state !== 'done').map(({ id }) => id);
};

async function exported(filters: object): Promise<{ id: string; path: string }> {
  const answer = await api.app.inject({
    ...{ method: 'POST', url: '/v1/exports', payload: { what: 'activity', format: 'json', filters } },
    cookies: { [SESSION_COOKIE]: api.cookie },
  });
  const id = String(answer.headers[EXPORT_HEADER]);
  const path = join(directory, id);
  await writeFile(path, answer.rawPayload);
  return { id, path };
}

test('each step turns by itself when what it asks for is there, and evidence waits for key signing and names the runs of the file', async () => {
  const SERVICE = { owner: 'pipeline', owner_kind: 'service_account', environment: 'sandbox', kind: 'managed' };
  expect(await missing()).toEqual([
    ...['signing', 'service_account', 'first_key', 'first_event', 'usage_confirmed', 'evidence_captured'],
  ]);
  // A key whose service account nobody made, and events of other keys, are no first key and no use of it.
  expect((await api.post('/v1/credentials', { ...SERVICE, name: 'Stray' })).status).toBe(201);
  await api.storeRows([{ user: 'bob' }]);
  expect(await missing()).not.toContain('first_event');
  expect(await missing()).toContain('first_key');
  const account = { name: 'pipeline', owner: 'ada@example.com' };
  expect((await api.post('/v1/service-accounts', account)).status).toBe(201);
  expect(await missing()).toEqual(['signing', 'usage_confirmed', 'evidence_captured']);
  const { secret, credential } = (await api.post('/v1/credentials', { ...SERVICE, name: 'First run' })).body;
  const call = { fingerprint: fingerprintOf(secret), credential_id: credential.id, agent: 'codex' };
  await api.storeRows([
    { ...call, session: 'run-1', outcome: 'failed' },
    { ...call, session: 'run-1' },
    { ...call, session: 'run-2' },
    call,
    // A second report of one of these, under a name of its own, that was taken back.
    { ...call, session: 'run-3' },
    { ...call, session: 'run-3', calls: -1, joins: '[["proxy","1"]]' },
  ]);
  expect((await api.get('/v1/onboarding')).body.key).toEqual({
    ...{ credential_id: credential.id, name: 'First run', calls: 4 },
  });

  const { id: export_id, path } = await exported({ credential_id: credential.id });
  expect((await api.post('/v1/evidence', { export_id })).status).toBe(409);
  expect((await api.post('/v1/signing-key')).status).toBe(201);
  const captured = await api.post('/v1/evidence', { export_id });
  expect(captured.status).toBe(201);
  const evidence = captured.body as Evidence;
  expect(evidence).toMatchObject({
    key: { credential_id: credential.id, owner: 'pipeline' },
    ...{ runs_total: 2, calls: 4, calls_without_run: 1, receipt: { id: export_id, rows: 6 } },
  });
  expect(evidence.runs.map(({ session, calls, failed }) => [session, calls, failed]).toSorted()).toEqual([
    ['run-1', 2, 1],
    ['run-2', 1, 0],
  ]);
  expect(await missing()).toEqual([]);
  expect((await api.get('/v1/evidence')).body.items).toMatchObject([{ id: evidence.id, export_id }]);
  expect((await api.get(`/v1/evidence/${evidence.id}`)).body).toEqual(evidence);
  expect((await api.get('/v1/audit/chain')).body).toMatchObject({ holds: true, head: evidence.chain_head });

  expect(await checkExport(path, proofOf(JSON.stringify(evidence)))).toEqual([]);
  const forged = { ...evidence, runs: evidence.runs.slice(1) };
  expect(await checkExport(path, proofOf(JSON.stringify(forged)))).toEqual(['The evidence is not as it was signed.']);
  const registry = await api.app.inject({
    ...{ method: 'POST', url: '/v1/exports', payload: { what: 'registry', format: 'json' } },
    cookies: { [SESSION_COOKIE]: api.cookie },
  });
  const without = await api.post('/v1/evidence', { export_id: String(registry.headers[EXPORT_HEADER]) });
  expect([without.status, without.body.errors[0].path]).toEqual([400, 'export_id']);
});
