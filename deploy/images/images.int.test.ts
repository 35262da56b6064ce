import { execFile, spawn } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@clickhouse/client';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createPostgresDatabase } from '../../query-api/src/testing/harness.ts';
import { freePort } from '../kafka/start-kafka.ts';
import { tempDir, uniqueName, until } from '../testing/helpers.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const READY_MS = 90_000;
/** As root the programs run as nobody, who can write nothing of the tree; else the tree is made read-only for its owner. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const brokers = inject('kafkaBrokers');
const postgres = inject('postgresUrl');
const clickhouse = inject('clickhouseServer');

it.skipIf(brokers === null || postgres === null || clickhouse === null)(
  'what the services image holds runs on servers as nobody and writes nothing, without engines and build tools',
  async () => {
    const folder = await tempDir();
    chmodSync(folder, 0o755);
    const app = join(folder, 'app');
    await run('sh', ['deploy/images/assemble.sh', 'services', app], { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 });
    for (const name of ['lmdb', '@electric-sql', 'chdb', 'typescript', 'vite', 'vitest', 'node'])
      expect(existsSync(join(app, 'node_modules', name)), name).toBe(false);
    expect(
      readdirSync(app, { recursive: true }).filter((path) =>
        /^(ingest|detector|query-api)\/.*\.test\.ts$/.test(String(path)),
      ),
    ).toEqual([]);
    await run('chmod', ['-R', isRoot ? 'a+rX' : 'a+rX,a-w', app]);
    if (!isRoot) onTestFinished(() => run('chmod', ['-R', 'u+w', app]).then(() => undefined));

    const database = uniqueName('image_test');
    const registry = await createPostgresDatabase(postgres!);
    const secret = (name: string, text: string) => {
      const file = join(folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      if (isRoot) chownSync(file, NOBODY, NOBODY);
      return file;
    };
    // Nobody may not come to where this one lies.
    const node = join(folder, 'node');
    copyFileSync(process.execPath, node);
    const spool = join(folder, 'spool');
    mkdirSync(spool);
    if (isRoot) chownSync(spool, NOBODY, NOBODY);
    const common = {
      PATH: process.env['PATH'] ?? '',
      BUS_URL_FILE: secret('bus-url', `kafka://${brokers}`),
      TOPIC_PREFIX: `${database}.`,
      LOG_LEVEL: 'warn',
      CLICKHOUSE_URL: clickhouse!.url,
      CLICKHOUSE_USER: clickhouse!.user,
      CLICKHOUSE_PASSWORD_FILE: secret('clickhouse-password', clickhouse!.password),
      CLICKHOUSE_DATABASE: database,
    };
    const own: Record<string, Record<string, string>> = {
      ingest: { INGEST_GRPC_PORT: 'off', LANEWATCH_HOME: spool },
      detector: {},
      'query-api': {
        DATABASE_URL_FILE: secret('database-url', registry.url),
        AUTH_SECRET_FILE: secret('auth-secret', 'a'.repeat(64)),
      },
    };
    let output = '';
    const started = await Promise.all(
      Object.entries(own).map(async ([name, settings]) => {
        const port = String(await freePort());
        const child = spawn(node, [`${name}/src/main.ts`], {
          cwd: app,
          env: { ...common, ...settings, [`${name.toUpperCase().replace('-', '_')}_PORT`]: port },
          stdio: ['ignore', 'pipe', 'pipe'],
          ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
        });
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
        const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
        return { child, ended, url: `http://127.0.0.1:${port}/readyz` };
      }),
    );
    try {
      for (const { url } of started)
        await until(
          () =>
            fetch(url).then(
              ({ ok }) => ok,
              () => false,
            ),
          READY_MS,
          `${url}; so far:\n${output}`,
        );
      const check = (url: string) => run(node, ['deploy/images/health.mjs'], { cwd: app, env: { HEALTH_URL: url } });
      await check(started[0]!.url);
      await expect(check('http://127.0.0.1:1/')).rejects.toThrow();
    } finally {
      for (const { child } of started) child.kill('SIGTERM');
      await Promise.all(started.map(({ ended }) => ended));
      const { url, user, password } = clickhouse!;
      const client = createClient({ url, username: user, password });
      await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
      await client.close();
      await registry.drop();
    }
  },
  240_000,
);
