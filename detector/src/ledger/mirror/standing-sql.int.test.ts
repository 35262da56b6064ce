import { credentialRecordSchema, type CredentialRecord } from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertMirrored, mirroredOf, reloadMirrored, standingNowSql } from '../../../contract/index.ts';
import { classify } from '../../classify/classify.ts';
import { createRegistryView } from '../../classify/registry-view.ts';
import { startTestLedger, type TestLedger } from '../testing.ts';

const AT_MS = Date.UTC(2026, 10, 20, 12);
const FINGERPRINTS = ['', 'a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)];
const HINTS = ['', 'sk-ant-...C001', 'sk-ant-...9Z4K'];
const ORGS = ['', 'acme', 'other'];

const instant = fc.option(
  fc.constantFrom(-1, 0, 1).map((ms) => new Date(AT_MS + ms).toISOString()),
  { nil: null },
);
const record = fc.record({
  fingerprint: fc.constantFrom(...FINGERPRINTS),
  hint: fc.constantFrom(...HINTS),
  org: fc.constantFrom(...ORGS),
  revoked_at: instant,
  expires_at: instant,
  grace_ends_at: instant,
  status: fc.constantFrom('active' as const, 'revoked' as const, 'expired' as const),
});

let test: TestLedger;
beforeAll(async () => {
  test = await startTestLedger();
});
afterAll(() => test.close());

it('standing now in SQL is what the detector would decide for an event now', async () => {
  const lanes = FINGERPRINTS.flatMap((fingerprint) =>
    HINTS.flatMap((hint) => ORGS.map((org) => ({ fingerprint, hint, org }))),
  );
  const list = lanes.map(({ fingerprint, hint, org }) => `('${fingerprint}', '${hint}', '${org}')`).join(', ');
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 6 }), async (changes) => {
      const records: CredentialRecord[] = changes
        .filter(({ fingerprint, hint }) => fingerprint !== '' || hint !== '')
        .map((change, index) =>
          credentialRecordSchema.parse({
            ...change,
            id: `cred-${index}`,
            name: '',
            kind: 'registered',
            created_at: '2026-01-01T00:00:00Z',
            version: index + 1,
          }),
        );
      const registry = createRegistryView();
      for (const one of records) registry.apply(Buffer.from(JSON.stringify(one)));
      await test.client.command({ query: `TRUNCATE TABLE ${test.database}.credentials` });
      await insertMirrored(test.client, test.database, records.map(mirroredOf));
      await reloadMirrored(test.client, test.database);
      const sql = standingNowSql(test.database, { fingerprint: 'f', hint: 'h', org: 'o' }, 'at');
      const rows = await test.rows<[string, string, string, string, string, string]>(
        `WITH fromUnixTimestamp64Milli(toInt64(${AT_MS}), 'UTC') AS at
         SELECT f, h, o, ${sql.matched} AS matched, ${sql.standing('matched')} AS standing,
           dictGet('{database}.credentials_by_key', 'id', matched.2) AS id
         FROM values('f String, h LowCardinality(String), o LowCardinality(String)', ${list})`.replaceAll('\n', ' '),
      );
      const inSql = rows.map(([fingerprint, hint, org, , standing, id]) => ({ fingerprint, hint, org, standing, id }));
      const decided = lanes.map((lane) => {
        const { standing, credential } = classify(lane, AT_MS, registry);
        return { ...lane, standing, id: credential?.record.id ?? '' };
      });
      expect(inSql).toEqual(decided);
    }),
    { numRuns: 25 },
  );
});
