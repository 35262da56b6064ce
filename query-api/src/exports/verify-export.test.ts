import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ExportReceipt } from '../../contract/index.ts';

const PROGRAM = join(import.meta.dirname, 'verify-export.ts');

const receiptOf = (file: string): ExportReceipt => ({
  ...{ version: 1, id: 'e1', file_name: 'trail.csv', what: 'activity', format: 'csv', filters: {}, rows: 2 },
  ...{ bytes: file.length, from: null, to: '2026-11-28T00:00:00.000Z', made_at: '2026-11-28T00:00:00.000Z' },
  ...{ made_by: 'ada@example.com', chain_head: { seq: 7, hash: '0'.repeat(64) }, signature: null },
  sha256: createHash('sha256').update(file).digest('hex'),
});

test('verify-export ends with 0 for the file that was exported, 1 for one with a changed byte, 2 for what it cannot judge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanewatch-verify-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = 'key,outcome\nk1,ok\nk2,denied\n';
  writeFileSync(join(folder, 'trail.csv'), file);
  writeFileSync(join(folder, 'changed.csv'), file.replace('denied', 'dented'));
  writeFileSync(join(folder, 'receipt.json'), JSON.stringify(receiptOf(file)));
  // Paths are those of the folder that a person is in, which npm names so.
  const env = { ...process.env, INIT_CWD: folder };
  const run = (...given: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...given], { env, encoding: 'utf8' });
    return [status, stdout + stderr];
  };
  expect(run('trail.csv', 'receipt.json')).toEqual([0, expect.stringContaining('Verified: 2 rows')]);
  expect(run('changed.csv', 'receipt.json')).toEqual([1, expect.stringContaining('REFUSED')]);
  expect(run('trail.csv', 'trail.csv')).toEqual([2, expect.stringContaining('is no JSON')]);
  expect(run('trail.csv')).toEqual([2, expect.stringContaining('its receipt or evidence')]);
});
