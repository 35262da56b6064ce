import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../contract/index.ts';
import { run } from '../../testing/format-run.ts';
import { shippersFormat } from '../shippers/shippers.ts';
import { gcpAuditMapper } from './gcp-audit.ts';

const format = shippersFormat([gcpAuditMapper]);
const RECORD = JSON.parse(readFileSync(new URL('./fixtures/generate-content.json', import.meta.url), 'utf8')) as {
  protoPayload: object;
};
const send = (change: object) =>
  run(format, JSON.stringify({ ...RECORD, protoPayload: { ...RECORD.protoPayload, ...change } }));

test('a call of Vertex AI tells the key of its service account, the principal, model and project', async () => {
  expect((await send({})).events).toMatchObject([
    {
      ...{ source: 'gcp-audit', fingerprint: fingerprintOf('0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c') },
      ...{ user: 'agents@acme-lab.iam.gserviceaccount.com', org: 'acme-lab', ip: '203.0.113.7' },
      ...{ model: 'gemini-2.5-pro', served_by: 'vertex', action: 'execution', outcome: 'success' },
      ...{ operation: 'PredictionService.GenerateContent', credential_kind: 'api_key', reporter: 'import' },
    },
  ]);
});

test('without a key the principal names the lane, and codes say what came of it', async () => {
  const authenticationInfo = { principalEmail: 'ada@example.com' };
  const outcomes = [];
  for (const code of [7, 8, 16, 13]) {
    const { events } = await send({ authenticationInfo, status: { code } });
    expect(events).toMatchObject([{ fingerprint: '', hint: 'ada@example.com', credential_kind: 'oauth' }]);
    outcomes.push(events[0]!.outcome);
  }
  expect(outcomes).toEqual(['denied', 'rate_limited', 'denied', 'failed']);
});

test('audit logs of other services are counted only', async () => {
  const { events, ignored } = await send({ serviceName: 'storage.googleapis.com' });
  expect([events.length, ignored.get('other_record')]).toEqual([0, 1]);
});
