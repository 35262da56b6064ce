import { expect, test } from 'vitest';
import { answerOf } from './answers.ts';
import { claudeCodeMapper } from './formats/claude-code/claude-code.ts';
import { otlpLogsFormat } from './formats/otlp/otlp.ts';
import { encodeExportResponse } from './formats/otlp/protobuf.ts';
import { run } from './testing/format-run.ts';

const logs = otlpLogsFormat([claudeCodeMapper]);

/** Log records of Claude Code with these attributes over valid ones. */
function request(records: Record<string, number>[]): string {
  const attributes = (own: Record<string, number>) =>
    Object.entries(own).map(([key, intValue]) => ({ key, value: { intValue } }));
  const logRecords = records.map((own, index) => ({
    timeUnixNano: '1795216474576000000',
    body: { stringValue: 'claude_code.api_request' },
    attributes: attributes({ 'event.sequence': index, ...own }),
  }));
  return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
}

async function partialSuccess(records: Record<string, number>[]) {
  const received = await run(logs, request(records));
  const { body } = answerOf(logs, received, 'application/json');
  const protobuf = answerOf(logs, received, 'application/x-protobuf').body;
  const { partialSuccess } = JSON.parse(body.toString()) as {
    partialSuccess?: { rejectedLogRecords: string; errorMessage: string };
  };
  expect(protobuf).toEqual(encodeExportResponse(received.rejected, partialSuccess?.errorMessage ?? ''));
  return partialSuccess;
}

const WHOLE = 'must be a whole number from 0';

test('an OTLP sender is told each different fault once, with the first record that has it, and how many more there are', async () => {
  const answer = await partialSuccess([
    {},
    { output_tokens: -1 },
    { output_tokens: -2 },
    { input_tokens: -1, output_tokens: -1 },
  ]);
  expect(answer?.rejectedLogRecords).toBe('3');
  const parts = answer!.errorMessage.split('; ');
  expect(parts).toEqual([
    expect.stringContaining(`record 1: tokens.output ${WHOLE}`),
    expect.stringContaining(`record 3: tokens.input_uncached ${WHOLE}`),
    'and 2 more',
  ]);
});

test('at most five faults are named, however many records are refused', async () => {
  const bad = { input_tokens: -1, output_tokens: -1, cache_read_tokens: -1, cache_creation_tokens: -1 };
  const answer = await partialSuccess(Array.from({ length: 300 }, () => ({ ...bad, cost_usd: -1, status_code: -1 })));
  expect(answer?.rejectedLogRecords).toBe('300');
  const parts = answer!.errorMessage.split('; ');
  expect(parts).toHaveLength(6);
  expect(parts.at(-1)).toBe('and 1795 more');
  expect(answer!.errorMessage.length).toBeLessThan(1_000);
});

test('nothing is said when nothing is refused', async () => {
  expect(await partialSuccess([{}])).toBeUndefined();
});
