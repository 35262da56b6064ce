import type { ClickHouseClient } from '@clickhouse/client';
import { expect, test } from 'vitest';
import { createReportReader } from './reports.ts';
import { APART_MS_MAX } from './same-request.ts';

/** An engine that has so many rows for each ten minutes that are asked for, in an hour that begins at the epoch. */
function readerOf(rowsPerUnit: number) {
  const asked: [number, number][] = [];
  const query = ({ query_params }: { query_params: { since?: number; until?: number } }) => {
    const { since, until } = query_params;
    if (since === undefined || until === undefined)
      return { json: () => Promise.resolve([[0], [1], [2], [3], [4], [5]]) };
    asked.push([since / APART_MS_MAX, until / APART_MS_MAX]);
    const rows = ((until - since) / APART_MS_MAX) * rowsPerUnit;
    return { json: () => Promise.resolve(Array.from({ length: Math.min(rows, 201) }, () => [])) };
  };
  const client = { query: (options: never) => Promise.resolve(query(options)) } as unknown as ClickHouseClient;
  return { reader: createReportReader(client, 'lanewatch', 200), asked };
}

test('an hour of more reports than are held at once is looked through in parts, with what lies around each', async () => {
  const { reader, asked } = readerOf(40);
  const held: number[] = [];
  for await (const rows of reader.around(0, 1)) held.push(rows.length);
  expect(asked).toEqual([
    [-1, 7],
    [-1, 4],
    [2, 7],
  ]);
  expect(held).toEqual([200, 200]);
});

test('ten minutes of more than that are told as what keeps reports from being joined', async () => {
  const { reader } = readerOf(100);
  await expect(reader.around(0, 1)[Symbol.asyncIterator]().next()).rejects.toThrow(
    'more than 200 rows around 1970-01-01T00:00:00.000Z',
  );
});
