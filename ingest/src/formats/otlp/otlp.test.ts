import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { claudeCodeMapper } from '../claude-code/claude-code.ts';
import { genaiSpanMapper } from '../genai/genai.ts';
import { millisecondsOf, readAttributes } from './attributes.ts';
import { otlpLogsFormat, otlpMetricsFormat } from './otlp.ts';
import { otlpTracesFormat } from './traces.ts';
import { decodeExportRequest, encodeExportResponse, encodeStatus } from './protobuf.ts';

const traces = otlpTracesFormat(genaiSpanMapper);
const logs = otlpLogsFormat([claudeCodeMapper]);
const load = (name: string) => fixture(import.meta.url, name);
const loadClaude = (name: string) => fixture(new URL('../claude-code/x', import.meta.url).href, name);
const PROTOBUF = { mediaType: 'application/x-protobuf' };
const ignoredIn = async (...args: Parameters<typeof run>) => Object.fromEntries((await run(...args)).ignored);

describe('OTLP bodies of other programs are accepted and counted', () => {
  test.each(['logs.json', 'events.json'])('the specification example %s', async (name) => {
    expect(await ignoredIn(logs, load(name))).toEqual({ other_log_record: 1 });
  });

  test('metrics and traces of the specification', async () => {
    expect(await ignoredIn(otlpMetricsFormat, load('metrics.json'))).toEqual({ metric_data_point: 4 });
    expect(await ignoredIn(traces, load('trace.json'))).toEqual({ span: 1 });
  });

  test('metrics in protobuf, of the specification and of Claude Code', async () => {
    const ofSpec = await ignoredIn(otlpMetricsFormat, load('metrics.protobuf-bin'), PROTOBUF);
    expect(ofSpec.metric_data_point).toBeGreaterThan(0);
    const pb = await ignoredIn(otlpMetricsFormat, loadClaude('v2.1.197-metrics.http-protobuf.pb'), PROTOBUF);
    expect(pb.metric_data_point).toBeGreaterThan(3);
  });

  test('a trace in protobuf', async () => {
    expect(await ignoredIn(traces, load('trace.protobuf-bin'), PROTOBUF)).toEqual({ span: 1 });
  });
});

describe('OTLP bodies that are odd', () => {
  test.each([
    '{}',
    '{"resourceLogs":[]}',
    '{"resourceLogs":null}',
    '{"resourceLogs":[null,3,{"scopeLogs":[{"logRecords":[7]}]}],"x":1}',
  ])('%s is an empty request', async (body) => {
    expect(await run(logs, body)).toMatchObject({ events: [], rejected: 0 });
  });

  test('an empty protobuf body is an empty request', async () => {
    expect(await run(logs, '', PROTOBUF)).toMatchObject({ events: [], rejected: 0 });
  });

  test.each([
    ['[]', /JSON object/],
    ['{"resourceLogs":{}}', /resourceLogs is an array/],
    ['{"resourceLogs":[}', /line 1, column 18/],
    ['{"resource_logs":[{"scope_logs":[]}]}', /lowerCamelCase: send resourceLogs and so on, not resource_logs/],
  ])('%s is refused with the reason', async (body, reason) => {
    await expect(run(logs, body)).rejects.toThrow(reason);
  });

  test('names of the .proto files are refused for every signal, and are unknown fields beside the right ones', async () => {
    await expect(run(otlpMetricsFormat, '{"resource_metrics":[]}')).rejects.toThrow(/send resourceMetrics/);
    await expect(run(traces, '{"resource_spans":[]}')).rejects.toThrow(/send resourceSpans/);
    expect(await run(logs, '{"resourceLogs":[],"resource_logs":[7]}')).toMatchObject({ events: [], rejected: 0 });
  });

  test.each(['\xff\xff\xff', '\x0a\x7f\x01', '{"resourceLogs":[]}'])(
    'bytes that are no export request are refused (%#)',
    async (body) => {
      await expect(run(logs, Buffer.from(body, 'latin1'), PROTOBUF)).rejects.toThrow(/not a valid OTLP protobuf/);
    },
  );

  test('values nested 100,000 deep cost no stack, in JSON and in protobuf', async () => {
    const depth = 100_000;
    const nested = `${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}`;
    const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"a","value":${nested}}]}]}]}]}`;
    expect(await ignoredIn(logs, body)).toEqual({ other_log_record: 1 });

    let value: Buffer = Buffer.alloc(0);
    for (let level = 0; level < 2_000; level++) value = lengthDelimited(5, lengthDelimited(1, value));
    const record = lengthDelimited(6, Buffer.concat([lengthDelimited(1, Buffer.from('a')), lengthDelimited(2, value)]));
    const request = lengthDelimited(1, lengthDelimited(2, lengthDelimited(2, record)));
    expect(await ignoredIn(logs, request, PROTOBUF)).toEqual({ other_log_record: 1 });
  });

  test('a thousand attributes are read, a hundred thousand are not all read', () => {
    const list = Array.from({ length: 100_000 }, (_, index) => ({ key: `k${index}`, value: { intValue: index } }));
    expect(readAttributes(list).size).toBe(1_000);
  });

  test('of a repeated key the last value counts, and the record overrides the resource', () => {
    const resource = readAttributes([{ key: 'a', value: { stringValue: 'resource' } }]);
    const pairs = ['first', 'last'].map((stringValue) => ({ key: 'a', value: { stringValue } }));
    expect(readAttributes(pairs, resource).get('a')).toBe('last');
  });

  test('times are read from text, number and 0 as not set, to the exact millisecond', () => {
    expect(millisecondsOf('1795216474576000000')).toBe(1795216474576);
    expect(millisecondsOf('1795216474576999999')).toBe(1795216474576);
    expect(millisecondsOf(Number('1795216474576000000'))).toBe(1795216474576);
    expect(millisecondsOf('0')).toBeNull();
    expect(millisecondsOf(0)).toBeNull();
    expect(millisecondsOf(NaN)).toBeNull();
    expect(millisecondsOf('soon')).toBeNull();
  });
});

describe('OTLP answers in protobuf', () => {
  test('full success is no bytes', () => {
    expect(encodeExportResponse(0, '')).toHaveLength(0);
  });

  test('partial success: field 1 with the count and field 2 with the message', () => {
    expect([...encodeExportResponse(3, 'ab')]).toEqual([0x0a, 6, 0x08, 3, 0x12, 2, 0x61, 0x62]);
  });

  test('google.rpc.Status: field 1 with the code and field 2 with the message', () => {
    expect([...encodeStatus(16, 'no')]).toEqual([0x08, 16, 0x12, 2, 0x6e, 0x6f]);
  });

  test('64-bit integers of protobuf keep their sign', () => {
    const minusOne = Buffer.from([0x18, ...new Array<number>(9).fill(0xff), 0x01]);
    const pair = lengthDelimited(
      6,
      Buffer.concat([lengthDelimited(1, Buffer.from('n')), lengthDelimited(2, minusOne)]),
    );
    const request = decodeExportRequest('logs', lengthDelimited(1, lengthDelimited(2, lengthDelimited(2, pair))));
    const record = (request.resourceLogs as { scopeLogs: { logRecords: { attributes: unknown }[] }[] }[])[0]!
      .scopeLogs[0]!.logRecords[0]!;
    expect(readAttributes(record.attributes).get('n')).toBe(-1);
  });
});

/** A field of wire type 2, to build bodies that no encoder would. */
function lengthDelimited(field: number, payload: Buffer): Buffer {
  const length: number[] = [];
  let rest = payload.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), payload]);
}
