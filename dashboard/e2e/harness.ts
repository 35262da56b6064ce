import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';
import { startFakeQueryApi, type FakeQueryApi } from './fake-query-api.ts';
import { organisation, type Organisation } from './organisation.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const START_TIMEOUT_MS = 30_000;

/** The dashboard as it is delivered, in front of a fake query-api, with a browser. */
export interface Stage {
  url: string;
  fake: FakeQueryApi;
  browser: Browser;
  /** A fresh browser profile, signed in unless told otherwise. */
  visitor(options?: BrowserContextOptions & { signedIn?: boolean }): Promise<BrowserContext>;
  close(): Promise<void>;
}

function newestMs(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...entries.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

/** Builds the dashboard unless the build is newer than everything it is made from. */
export function buildWhenStale(): void {
  const built = statSync(join(ROOT, 'build/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = [
    newestMs(join(ROOT, 'src')),
    newestMs(join(ROOT, 'static')),
    newestMs(join(ROOT, '../query-api/contract')),
    newestMs(join(ROOT, '../ingest/contract')),
    statSync(join(ROOT, 'vite.config.ts')).mtimeMs,
  ];
  if (built > Math.max(...sources)) return;
  const result = spawnSync('npm', ['run', 'build'], { cwd: ROOT, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`The dashboard does not build:\n${result.stdout}\n${result.stderr}`);
}

async function startServer(queryApiUrl: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      DASHBOARD_PORT: '0',
      // Of query-api's configuration; it must not disturb where one environment serves all.
      DASHBOARD_URL: 'http://127.0.0.1:4600',
      QUERY_API_URL: queryApiUrl,
      INGEST_URL: 'http://127.0.0.1:4618',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The dashboard did not start:\n${output}`)), START_TIMEOUT_MS);
    const hear = (chunk: Buffer) => {
      output += String(chunk);
      const port = /Listening on .*:(\d+)/.exec(output)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`The dashboard ended:\n${output}`)));
  });
  return { url, child };
}

/** Sets everything up. One stage serves a whole test file; tests change `fake.org`. */
export async function startStage(org: Organisation = organisation(Date.now())): Promise<Stage> {
  buildWhenStale();
  const fake = await startFakeQueryApi(org, Date.now);
  const { url, child } = await startServer(fake.url);
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    url,
    fake,
    browser,
    async visitor({ signedIn = true, ...options } = {}) {
      const context = await browser.newContext({ baseURL: url, viewport: { width: 1280, height: 900 }, ...options });
      if (signedIn) await context.addCookies([{ name: 'lanewatch_session', value: fake.session, url }]);
      return context;
    },
    async close() {
      await browser.close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await fake.close();
    },
  };
}
