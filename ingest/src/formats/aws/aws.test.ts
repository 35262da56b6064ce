import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../contract/index.ts';
import { run } from '../../testing/format-run.ts';
import { shippersFormat } from '../shippers/shippers.ts';
import { bedrockMapper } from './bedrock.ts';
import { cloudTrailMapper } from './cloudtrail.ts';
import { principalOf } from './principal.ts';

const format = shippersFormat([bedrockMapper, cloudTrailMapper]);
const load = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

test('an invocation tells the role as key, its session as person, model and disjoint tokens, and no word of the bodies', async () => {
  const { events } = await run(format, load('model-invocation-log.json'));
  expect(events).toMatchObject([
    {
      ...{
        source: 'aws-bedrock',
        id: 'ff4b6c63-5561-4431-93b8-06a817275900',
        time: Date.parse('2025-03-11T00:38:02Z'),
      },
      ...{ hint: 'arn:aws:sts::123456789012:assumed-role/Agents', fingerprint: '', credential_provider: 'aws' },
      ...{ org: '123456789012', user: 'ada@example.com', request_id: 'ff4b6c63-5561-4431-93b8-06a817275900' },
      ...{ provider: 'anthropic', served_by: 'bedrock', model: 'claude-sonnet-4-5', operation: 'ConverseStream' },
      ...{ tokens_input_uncached: 4, tokens_cache_read: 3400, tokens_cache_write: 1200, tokens_output: 38 },
      ...{ outcome: 'success', latency_ms: 302, cost_basis: 'estimated', reporter: 'import' },
    },
  ]);
  expect(JSON.stringify(events)).not.toMatch(/hello/i);
});

test('the same from CloudWatch, where it stands in the line that a shipper read', async () => {
  const { events } = await run(format, JSON.stringify([{ message: load('model-invocation-log.json'), timestamp: 1 }]));
  expect(events).toMatchObject([{ source: 'aws-bedrock', tokens_output: 38 }]);
});

test('of a file of CloudTrail the calls of Bedrock count, by the access key, with what was denied; others are counted only', async () => {
  const { events, ignored } = await run(format, load('cloudtrail-file.json'));
  expect(events).toMatchObject([
    {
      ...{
        source: 'aws-cloudtrail',
        id: '8a9f2d7e-1c2b-4d5e-9f60-0a1b2c3d4e5f',
        outcome: 'denied',
        action: 'execution',
      },
      ...{
        fingerprint: fingerprintOf('AKIAIOSFODNN7EXAMPLE'),
        user: 'ada',
        ip: '203.0.113.7',
        operation: 'InvokeModel',
      },
      ...{ model: 'claude-sonnet-4-5', served_by: 'bedrock', request_id: 'dd2af3ed-7a94-4fa4-8e1a-0a3e1b3a1d2c' },
    },
  ]);
  expect(JSON.stringify(events)).not.toContain('AKIAIOSFODNN7EXAMPLE');
  expect(ignored).toEqual(new Map([['other_record', 1]]));
});

test('a key that a role gave for an hour names no lane; the role does', async () => {
  const [record] = (JSON.parse(load('cloudtrail-file.json')) as { Records: object[] }).Records;
  const userIdentity = {
    arn: 'arn:aws:sts::123456789012:assumed-role/Agents/s-1',
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  };
  const { events } = await run(format, JSON.stringify({ ...record, userIdentity, errorCode: 'ThrottlingException' }));
  expect(events).toMatchObject([
    { fingerprint: '', hint: 'arn:aws:sts::123456789012:assumed-role/Agents', user: 's-1', outcome: 'rate_limited' },
  ]);
});

test('a service of AWS that calls for itself has no key', async () => {
  const [record] = (JSON.parse(load('cloudtrail-file.json')) as { Records: object[] }).Records;
  const userIdentity = { type: 'AWSService', invokedBy: 'bedrock.amazonaws.com' };
  const { events } = await run(format, JSON.stringify({ ...record, userIdentity }));
  expect(events).toMatchObject([{ fingerprint: '', hint: '', credential_kind: 'none' }]);
});

test.each([
  [undefined, { hint: undefined, user: undefined, account: undefined }],
  ['none of ours', { hint: 'none of ours', user: undefined, account: undefined }],
  ['arn:aws:iam::123456789012:root', { user: undefined, account: '123456789012' }],
])('a caller %s', (arn, expected) => {
  expect(principalOf(arn)).toMatchObject(expected);
});
