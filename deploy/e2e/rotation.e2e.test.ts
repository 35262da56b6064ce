import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openBus } from '@lanewatch/ingest/contract';
import type { Bus } from '@lanewatch/ingest/contract';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
// query-api in this process: only so can its clock be moved.
import { openClickHouse } from '../../query-api/src/clickhouse.ts';
import { loadConfig } from '../../query-api/src/config.ts';
import { openDatabase } from '../../query-api/src/registry/database.ts';
import type { Database } from '../../query-api/src/registry/database.ts';
import { createServer } from '../../query-api/src/server.ts';
import { startServices } from '../../query-api/src/services/services.ts';
import type { Services } from '../../query-api/src/services/services.ts';
import { makeTempDir, removeDir } from '../testing/helpers.ts';

const DASHBOARD = fileURLToPath(new URL('../../dashboard/', import.meta.url));
const COOKIE = 'lanewatch_session';
const ADA = 'ada@example.com';
const MINUTE_MS = 60_000;

let folder = '';
let nowMs = Date.now();
let bus: Bus;
let database: Database;
let services: Services;
let app: FastifyInstance;
let dashboard: ChildProcess;
let dashboardUrl = '';
let browser: Browser;

beforeAll(async () => {
  folder = await makeTempDir();
  const authSecret = join(folder, 'auth-secret');
  await writeFile(authSecret, randomBytes(32).toString('hex'), { mode: 0o600 });
  const config = loadConfig({
    AUTH_SECRET_FILE: authSecret,
    DATABASE_URL: `pglite:${join(folder, 'registry')}`,
    BUS_URL: `lmdb:${join(folder, 'bus')}`,
    // Nobody listens there: the registry, and all that policies do to keys, lives without the ledger.
    CLICKHOUSE_URL: 'http://127.0.0.1:9',
  });
  const logger = pino({ level: 'silent' });
  database = await openDatabase(config.databaseUrl);
  bus = await openBus(config.busUrl);
  const store = openClickHouse(config.clickhouse);
  services = await startServices({ config, logger, store, database, bus, now: () => nowMs, runsJobs: false });
  app = await createServer(services, logger);
  const queryApiUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  [dashboard, dashboardUrl] = await startDashboard(queryApiUrl);
  browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
}, 90_000);

afterAll(async () => {
  await browser?.close();
  if (dashboard !== undefined) {
    const ended = new Promise((resolve) => dashboard.once('exit', resolve));
    dashboard.kill('SIGTERM');
    await ended;
  }
  await app?.close();
  await services?.close();
  await Promise.allSettled([bus?.close(), database?.close()]);
  await removeDir(folder);
}, 60_000);

async function startDashboard(queryApiUrl: string): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: DASHBOARD,
    env: { ...process.env, DASHBOARD_PORT: '0', QUERY_API_URL: queryApiUrl, INGEST_URL: 'http://127.0.0.1:4618' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.once('exit', () => reject(new Error(`The dashboard ended: ${output}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      output += String(chunk);
      const port = /Listening on .*:(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
  });
  return [child, url];
}

/** A browser of somebody who is signed in by a link. */
async function visitor(link: string): Promise<{ page: Page; cookie: string }> {
  const answer = await app.inject({ method: 'POST', url: '/v1/sign-in', payload: { link } });
  const cookie = answer.cookies.find(({ name }) => name === COOKIE)?.value ?? '';
  const context = await browser.newContext({ baseURL: dashboardUrl });
  await context.addCookies([{ name: COOKIE, value: cookie, url: dashboardUrl }]);
  return { page: await context.newPage(), cookie };
}

async function codeOf(key: string): Promise<string> {
  await services.verifier.refresh();
  return services.verifier.verify({ key, action: 'write', resource: 'runs' }).code;
}

it('auto-rotation rotates a key: its owner collects the new secret once, the old one drains and ends', async () => {
  const admin = await visitor(await services.accounts.createLink());
  const { auth } = services.accounts;
  const { user } = await auth.api.createUser({
    body: { email: ADA, name: 'Ada', role: 'viewer', data: { emailVerified: true } },
  });
  const ada = await visitor((await auth.api.createSignInLink({ body: { userId: user.id } })).token);
  const issued = await app.inject({
    ...{ method: 'POST', url: '/v1/credentials', cookies: { [COOKIE]: admin.cookie } },
    payload: {
      ...{ kind: 'managed', name: 'Pipeline executor', environment: 'sandbox', owner: ADA, owner_kind: 'person' },
      scopes: [{ action: 'write', resource: 'runs' }],
    },
  });
  const { secret: old } = issued.json<{ secret: string }>();

  await admin.page.goto('/policies');
  await admin.page.getByRole('link', { name: 'Auto-rotation' }).click();
  await admin.page.getByLabel('State').selectOption('enforce');
  await admin.page.getByLabel('Rotate every (days)').fill(String(1 / 1440));
  await admin.page.getByLabel('Old secret works after collection for (days)').fill(String(1 / 24));
  await admin.page.getByRole('button', { name: 'Save' }).click();
  await admin.page.getByText('The policy is set.').waitFor();
  nowMs += 2 * MINUTE_MS;
  await admin.page.goto('/jobs');
  await admin.page.getByRole('button', { name: 'Run now: Offer replacements' }).click();
  await admin.page.getByText('Offer replacements: Keys changed: 1.').waitFor();

  await ada.page.goto('/policies');
  await ada.page.getByRole('link', { name: 'Open' }).click();
  await ada.page.getByRole('button', { name: 'Collect the new secret' }).click();
  const fresh = await ada.page.getByTestId('secret').innerText();
  expect([await codeOf(old), await codeOf(fresh)]).toEqual(['VALID', 'VALID']);
  const address = ada.page.url();
  const again = await ada.page.context().newPage();
  await again.goto(address);
  await again.getByText('It was collected already').waitFor();
  expect(await again.content()).not.toContain(fresh);

  nowMs += 61 * MINUTE_MS;
  expect([await codeOf(old), await codeOf(fresh)]).toEqual(['REVOKED', 'VALID']);
});
