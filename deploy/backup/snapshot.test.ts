import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../testing/helpers.ts';
import { restoreSnapshot, takeSnapshot } from './snapshot.ts';

async function madeBackup(): Promise<{ root: string; source: string; backup: string }> {
  const root = await tempDir();
  const source = join(root, 'source');
  mkdirSync(join(source, 'store/part'), { recursive: true });
  mkdirSync(join(source, 'logs'));
  writeFileSync(join(source, 'store/part/rows'), 'rows');
  writeFileSync(join(source, 'secret'), 'secret', { mode: 0o600 });
  symlinkSync(join(source, 'store/part'), join(source, 'link'));
  const backup = join(root, 'backup');
  await takeSnapshot(source, backup, ['logs'], 0);
  return { root, source, backup };
}

test('a restored folder has every file with its mode, and links that lead to its own files', async () => {
  const { root, source, backup } = await madeBackup();
  rmSync(source, { recursive: true });
  const target = join(root, 'target');
  await restoreSnapshot(backup, target);
  expect(readdirSync(target).sort()).toEqual(['link', 'secret', 'store']);
  expect(readFileSync(join(target, 'link/rows'), 'utf8')).toBe('rows');
  expect(statSync(join(target, 'secret')).mode & 0o777).toBe(0o600);
});

test.each<[string, (backup: string) => void, RegExp]>([
  ['a changed file', (backup) => appendFileSync(join(backup, 'data/secret'), '!'), /secret is not as it was written/],
  ['a missing file', (backup) => rmSync(join(backup, 'data/store/part/rows')), /rows is missing/],
  [
    'no list, as after an interruption',
    (backup) => rmSync(join(backup, 'manifest.json')),
    /is no backup, or one that was/,
  ],
  [
    'a list of another form',
    (backup) => writeFileSync(join(backup, 'manifest.json'), '{}'),
    /manifest.json can't be read/,
  ],
])('a backup with %s is refused, and nothing is written', async (_what, harm, problem) => {
  const { root, backup } = await madeBackup();
  harm(backup);
  const target = join(root, 'target');
  await expect(restoreSnapshot(backup, target)).rejects.toThrow(problem);
  expect(readdirSync(root)).not.toContain('target');
});

test('neither a backup nor a restore is written over what is there', async () => {
  const { source, backup } = await madeBackup();
  await expect(takeSnapshot(source, backup, [], 0)).rejects.toThrow('A backup goes into a folder of its own');
  await expect(restoreSnapshot(backup, source)).rejects.toThrow('restored into an empty data directory');
});
