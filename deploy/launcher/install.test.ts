import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeTempDir, removeDir, until } from '../testing/helpers.ts';
import { ensureInstalled, pinnedNode } from './install.mjs';

/** Stands for npm: notes that it was called, and unpacks what npm would. `behaviour` may hold `fail`, `hang` or `no-scripts`. */
const FAKE_NPM = `
const { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
appendFileSync('calls', process.argv.slice(2, 3).join(' ') + '\\n');
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules', { recursive: true });
const behaviour = existsSync('behaviour') ? readFileSync('behaviour', 'utf8') : '';
if (behaviour === 'fail') process.exit(7);
if (behaviour === 'hang') {
  setInterval(() => undefined, 1_000);
  writeFileSync('pid.partial', String(process.pid));
  renameSync('pid.partial', 'pid');
  return;
}
if (behaviour !== 'no-scripts') {
  mkdirSync('node_modules/node/bin', { recursive: true });
  writeFileSync('node_modules/node/bin/node', '#!/bin/sh\\necho v24\\n', { mode: 0o755 });
}
writeFileSync('node_modules/.package-lock.json', readFileSync('package-lock.json'));
`;

let root = '';
const calls = () =>
  existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : [];
const lock = (version: string) =>
  JSON.stringify({
    packages: {
      '': {},
      'node_modules/thing': { version },
      'node_modules/elsewhere': { version: '1.0.0', optional: true },
      'node_modules/@lanewatch/ingest': { link: true },
    },
  });

beforeEach(async () => {
  root = await makeTempDir();
  writeFileSync(join(root, 'package-lock.json'), lock('1.0.0'));
  writeFileSync(join(root, 'npm.cjs'), FAKE_NPM);
  vi.stubEnv('npm_execpath', join(root, 'npm.cjs'));
  // The launcher never lets npm run on the Node below node_modules, so the fake one gets another name.
  writeFileSync(join(root, 'node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 });
  vi.stubEnv('npm_node_execpath', join(root, 'node'));
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await removeDir(root);
});

describe('the launcher', () => {
  it('installs what is missing, once', async () => {
    await ensureInstalled(root);
    await ensureInstalled(root);
    expect(calls()).toEqual(['ci']);
  });

  it('installs again when the lockfile changes', async () => {
    await ensureInstalled(root);
    writeFileSync(join(root, 'package-lock.json'), lock('2.0.0'));
    await ensureInstalled(root);
    expect(calls()).toEqual(['ci', 'ci']);
  });

  it('accepts an installation made by hand when it is the one of the lockfile, without its optional packages', async () => {
    await ensureInstalled(root);
    rmSync(join(root, 'node_modules', '.lanewatch-installed'));
    const installed = JSON.parse(lock('1.0.0')) as { packages: Record<string, unknown> };
    delete installed.packages['node_modules/elsewhere'];
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify(installed));
    await ensureInstalled(root);
    expect(calls()).toEqual(['ci']);
  });

  it('installs again after an installation that was interrupted', async () => {
    await ensureInstalled(root);
    rmSync(join(root, 'node_modules', '.lanewatch-installed'));
    rmSync(join(root, 'node_modules', '.package-lock.json'));
    await ensureInstalled(root);
    expect(calls()).toEqual(['ci', 'ci']);
  });

  it('says what to do when npm fails', async () => {
    writeFileSync(join(root, 'behaviour'), 'fail');
    await expect(ensureInstalled(root)).rejects.toThrow(/could not be installed .*exit code 7.*check the network/);
  });

  it('says what to do when install scripts are switched off', async () => {
    writeFileSync(join(root, 'behaviour'), 'no-scripts');
    await expect(ensureInstalled(root)).rejects.toThrow(/npm config set ignore-scripts false/);
  });

  it('says so when the pinned Node does not run here', async () => {
    await ensureInstalled(root);
    rmSync(join(root, 'node_modules', '.lanewatch-installed'));
    writeFileSync(pinnedNode(root), '#!/bin/sh\necho GLIBC_2.28 not found >&2\nexit 1\n');
    chmodSync(pinnedNode(root), 0o755);
    writeFileSync(join(root, 'npm.cjs'), '');
    await expect(ensureInstalled(root)).rejects.toThrow(/does not run on this machine \(GLIBC_2.28 not found\)/);
  });

  it('installs once when several commands start together, also over the lock of one that died', async () => {
    writeFileSync(join(root, '.installing.lock'), JSON.stringify({ pid: 999_999_999, began: '1' }));
    const ended = await Promise.all(Array.from({ length: 4 }, () => runInstall().ended));
    expect(ended).toEqual([0, 0, 0, 0]);
    expect(calls()).toEqual(['ci']);
    expect(readdirSync(root).filter((name) => name.includes('.lock'))).toEqual([]);
  });

  it('does not wait for a command that died, when another process or its own has the id of that one now', async () => {
    for (const pid of [process.ppid, process.pid]) {
      rmSync(join(root, 'node_modules'), { recursive: true, force: true });
      writeFileSync(join(root, '.installing.lock'), JSON.stringify({ pid, began: '1' }));
      await ensureInstalled(root);
    }
    expect(calls()).toEqual(['ci', 'ci']);
  });

  it('leaves no npm behind when it is asked to end', async () => {
    writeFileSync(join(root, 'behaviour'), 'hang');
    const run = runInstall();
    const npm = Number(await until(() => readFileSync(join(root, 'pid'), 'utf8'), 10_000, 'npm'));
    process.kill(run.pid, 'SIGTERM');
    expect(await run.ended).toBe(1);
    expect(() => process.kill(npm, 0)).toThrow('ESRCH');
    expect(existsSync(join(root, '.installing.lock'))).toBe(false);
  });
});

/** The launcher's first step as a process of its own. */
function runInstall(): { pid: number; ended: Promise<number | null> } {
  const module = JSON.stringify(join(import.meta.dirname, 'install.mjs'));
  const code = `import { ensureInstalled } from ${module}; await ensureInstalled(${JSON.stringify(root)});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'ignore' });
  return { pid: child.pid!, ended: new Promise((resolve) => child.once('close', resolve)) };
}
