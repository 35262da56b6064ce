import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Harness } from '../testing/harness.ts';
import { engineOf, startHarness } from '../testing/harness.ts';
import { anthropicKey, fakeProvider } from './testing.ts';

const HINT = 'sk-ant-api03-R2D...igAA';
const FINGERPRINT = 'a'.repeat(64);

let api: Harness;
let provider: Awaited<ReturnType<typeof fakeProvider>>;
beforeAll(async () => {
  const keys = [
    anthropicKey(),
    anthropicKey({ id: 'apikey_2', name: 'Nightly', partial_key_hint: 'sk-ant-api03-Zz9...qqAA' }),
  ];
  provider = await fakeProvider(({ pathname }) => {
    const data = pathname.endsWith('/api_keys') ? keys : [];
    return [200, { data, first_id: null, has_more: false, last_id: null }];
  });
  const access = { anthropic: { url: provider.url, key: 'sk-ant-admin01-secret' } };
  const imports = { access, org: '', registers: false };
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')), imports });
});
afterAll(async () => {
  await api.close();
  await provider.close();
});

test('a provider’s keys are registered once, by the fingerprint of the lane they are used on, and only when that is asked for', async () => {
  await api.storeRows([{ hint: HINT, fingerprint: FINGERPRINT }]);
  const run = async (dry_run: boolean) => {
    const { status, body } = await api.post('/v1/imports/anthropic', { dry_run, org: 'acme' });
    expect(status).toBe(200);
    return body.imported.totals;
  };
  const registered = async () =>
    (await api.get('/v1/credentials')).body.items
      .map((item: Record<string, string>) => [item['name'], item['fingerprint'], item['org']])
      .sort();

  expect(await run(true)).toMatchObject({ registered: 2, present: 0, bad: 0 });
  expect(await registered()).toEqual([]);
  expect(await run(false)).toMatchObject({ registered: 2, present: 0, bad: 0 });
  const both = [
    ['Developer Key', FINGERPRINT, 'acme'],
    ['Nightly', '', 'acme'],
  ];
  expect(await registered()).toEqual(both);
  expect(await run(false)).toMatchObject({ registered: 0, present: 2, bad: 0 });
  expect(await registered()).toEqual(both);
  expect(api.logged.join('\n')).not.toContain('sk-ant-admin01-secret');

  const { status, body } = await api.post('/v1/imports/openai', { dry_run: false });
  expect([status, body.detail]).toEqual([409, expect.stringContaining('OPENAI_ADMIN_KEY_FILE')]);
});
