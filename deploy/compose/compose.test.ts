import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../testing/helpers.ts';
import { loadSettings, SERVICES, unknownSettings } from '../testing/service-settings.ts';
import { composeFile, EXAMPLE_SETTINGS } from './testing.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');
const file = composeFile('compose.yaml', EXAMPLE_SETTINGS);

/** What up.sh makes, in a folder of its own. */
async function preparedFolder(): Promise<string> {
  const folder = join(await tempDir(), 'compose');
  mkdirSync(folder);
  cpSync(join(HERE, 'up.sh'), join(folder, 'up.sh'));
  execFileSync('sh', ['up.sh', '--prepare'], { cwd: folder });
  return folder;
}

describe.each(SERVICES)('%s in compose.yaml', (name) => {
  const service = file.services[name]!;

  test('starts with a configuration that the service takes, its secrets as up.sh makes them', async () => {
    expect(unknownSettings(name, Object.keys(service.environment ?? {}))).toEqual([]);
    const secrets = join(await preparedFolder(), 'secrets');
    const environment = Object.entries(service.environment ?? {}).map(([key, value]) => [
      key,
      String(value).replace('/run/secrets', secrets),
    ]);
    expect(() => loadSettings(name, Object.fromEntries(environment) as Record<string, string>)).not.toThrow();
  });

  test('can write nothing and gain nothing, and its program is in the repository', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    for (const part of service.command ?? [])
      if (part.includes('/')) expect(existsSync(join(ROOT, part)), part).toBe(true);
  });

  test('is given every secret that it reads, and no other', () => {
    const read = Object.values(service.environment ?? {}).flatMap(
      (value) => /^\/run\/secrets\/(.+)$/.exec(String(value))?.slice(1) ?? [],
    );
    expect([...(service.secrets ?? [])].sort()).toEqual(read.sort());
  });
});

test('no image is built of what up.sh made', () => {
  const leftOut = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
  expect(leftOut).toEqual(expect.arrayContaining(['deploy/compose/secrets', 'deploy/compose/.env']));
});

test('only what people and collectors reach has a port outside, on loopback unless .env says otherwise', () => {
  const open = Object.entries(file.services).filter(([, { ports }]) => ports !== undefined);
  expect(open.map(([name]) => name).sort()).toEqual(['dashboard', 'ingest']);
  for (const [, { ports }] of open) for (const port of ports!) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('up.sh makes every secret, for its owner alone where a service reads it, and leaves them at the next run', async () => {
  const folder = await preparedFolder();
  const before = Object.values(file.secrets!).map(({ file: path }) => readFileSync(join(folder, path), 'utf8'));
  expect(before.every((secret) => secret.length >= 64)).toBe(true);
  expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'secrets/auth-secret')).mode & 0o777).toBe(0o600);
  const own = 'LANEWATCH_UID=5\nLANEWATCH_GID=6\n';
  writeFileSync(join(folder, '.env'), own);
  execFileSync('sh', ['up.sh', '--prepare'], { cwd: folder });
  expect(Object.values(file.secrets!).map(({ file: path }) => readFileSync(join(folder, path), 'utf8'))).toEqual(
    before,
  );
  expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(own);
  // As root they are given to whom the services run as.
  const me = process.getuid!();
  expect(statSync(join(folder, 'secrets/auth-secret')).uid).toBe(me === 0 ? 5 : me);
});
