import { timeOf } from './clicking.ts';

/** What one query cost the engine while nothing else asked. */
export interface Cost {
  rows: number;
  bytes: number;
  ms: number;
}

interface Engine {
  url: string;
  user: string;
  password: string;
}

/** What the engine has read since it started: rows and bytes of every query. */
async function readSoFar({ url, user, password }: Engine): Promise<{ rows: number; bytes: number }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'x-clickhouse-user': user, 'x-clickhouse-key': password },
    body: `SELECT sumIf(value, event = 'SelectedRows'), sumIf(value, event = 'SelectedBytes') FROM system.events FORMAT TSV`,
  });
  const [rows = NaN, bytes = NaN] = (await response.text()).trim().split('\t').map(Number);
  return { rows, bytes };
}

/** Asks once and tells what that had the engine read. */
export async function costOf(url: string, cookie: string, engine: Engine): Promise<Cost> {
  const before = await readSoFar(engine);
  const ms = await timeOf(url, cookie);
  const after = await readSoFar(engine);
  return { rows: after.rows - before.rows, bytes: after.bytes - before.bytes, ms };
}
