import { execFile, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { buildWhenStale } from '../../dashboard/e2e/harness.ts';
import { freePort } from '../kafka/start-kafka.ts';
import { tempDir, until } from '../testing/helpers.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const READY_MS = 60_000;
/** As root the program runs as nobody, who can write nothing of the tree. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

it('what the dashboard image holds serves its pages as nobody, without what they were built with', async () => {
  buildWhenStale();
  const folder = await tempDir();
  chmodSync(folder, 0o755);
  const app = join(folder, 'app');
  await run('sh', ['deploy/images/assemble.sh', 'dashboard', app], { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 });
  for (const name of ['typescript', 'vite', 'vitest', 'node', 'chdb'])
    expect(existsSync(join(app, 'node_modules', name)), name).toBe(false);
  await run('chmod', ['-R', 'a+rX', app]);
  // Nobody may not come to where this one lies.
  const node = join(folder, 'node');
  copyFileSync(process.execPath, node);
  const port = String(await freePort());
  const child = spawn(node, ['dashboard/src/main.ts'], {
    cwd: app,
    env: {
      NODE_ENV: 'production',
      DASHBOARD_PORT: port,
      QUERY_API_URL: 'http://127.0.0.1:1',
      INGEST_URL: 'http://127.0.0.1:1',
    },
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  try {
    const url = `http://127.0.0.1:${port}`;
    const check = () =>
      run(node, ['deploy/images/health.mjs'], { cwd: app, env: { HEALTH_URL: `${url}/healthz` } }).then(
        () => true,
        () => false,
      );
    await until(check, READY_MS, `the dashboard; so far:\n${output}`);
    const page = await fetch(`${url}/sign-in`);
    const text = await page.text();
    expect(text).toContain('<title>');
    const script = /["'](?:\.\/|\/)(_app\/immutable\/[^"']+\.js)["']/.exec(text)?.[1];
    expect((await fetch(`${url}/${script}`)).status).toBe(200);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
});
