import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { until } from '../testing/helpers.ts';

/** Exactly what `--ready-file` promises. */
const readySchema = z.strictObject({
  pid: z.number().int(),
  dashboard_url: z.url(),
  query_api_url: z.url(),
  ingest_url: z.url(),
  sign_in_url: z.url(),
  collector_key: z.string().min(1),
  clickhouse: z.strictObject({ url: z.url(), user: z.literal('analyst'), password: z.string().min(1) }),
});
export type Ready = z.infer<typeof readySchema>;

export const ROOT = join(import.meta.dirname, '..', '..');
/** A cold start on two busy cores took 30 s; PGlite makes its database then. */
export const START_DEADLINE_MS = 150_000;
const STOP_DEADLINE_MS = 60_000;
export const FREE_PORTS = {
  DASHBOARD_PORT: '0',
  QUERY_API_PORT: '0',
  INGEST_PORT: '0',
  INGEST_GRPC_PORT: '0',
  DETECTOR_PORT: '0',
  CLICKHOUSE_PORT: '0',
};

/** A run of `npm start`. */
export interface Started {
  process: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves with the exit code once it has ended. */
  ended: Promise<number | null>;
}

/** Starts as a person does. Settings of the developer's own shell that would change it are taken away. */
export function npmStart(home: string, args: string[], env: Record<string, string> = FREE_PORTS): Started {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(BUS_URL|DATABASE_URL|CLICKHOUSE_.*|DASHBOARD_.*|INGEST_.*|QUERY_API_.*|INIT_CWD|NODE_OPTIONS|VITEST.*|npm_.*)$/.test(
          name,
        ),
    ),
  );
  const child = spawn('npm', ['start', '--', ...args], {
    cwd: ROOT,
    env: { ...inherited, ...env, LANEWATCH_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const hear = (chunk: Buffer) => {
    text += chunk.toString('utf8');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { process: child, output: () => text, ended };
}

export interface Running extends Started {
  ready: Ready;
  home: string;
  readyFile: string;
  /** Ctrl-C, and waits for the end. */
  stop(): Promise<number | null>;
}

/** Starts an installation and waits until its ready file is there. */
export async function startInstallation(home: string, env: Record<string, string> = FREE_PORTS): Promise<Running> {
  const readyFile = join(home, '..', 'ready.json');
  // One of a run that was killed outright is still there, and npm start needs a moment to remove it.
  rmSync(readyFile, { force: true });
  const started = npmStart(home, ['--ready-file', readyFile], env);
  let over = false;
  void started.ended.then(() => (over = true));
  await until(
    () => over || statSync(readyFile, { throwIfNoEntry: false }) !== undefined,
    START_DEADLINE_MS,
    `the ready file; so far:\n${started.output()}`,
  );
  if (over) throw new Error(`npm start ended:\n${started.output()}`);
  const ready = readySchema.parse(JSON.parse(readFileSync(readyFile, 'utf8')));
  return {
    ...started,
    ready,
    home,
    readyFile,
    async stop() {
      process.kill(ready.pid, 'SIGINT');
      // Not npm, which would leave the supervisor behind; what that one has started ends with it.
      const timer = setTimeout(() => process.kill(ready.pid, 'SIGKILL'), STOP_DEADLINE_MS);
      const code = await started.ended;
      clearTimeout(timer);
      return code;
    },
  };
}

/** Processes whose environment names this data directory: what an installation started, however it was orphaned. */
export async function processesOf(home: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const own = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command !== '' && environment.split('\0').some((entry) => entry === `LANEWATCH_HOME=${home}`) ? pid : null;
    }),
  );
  return own.filter((pid) => pid !== null);
}

/** A signed-in client of query-api. */
export class Session {
  readonly #url: string;
  readonly #cookie: string;
  private constructor(url: string, cookie: string) {
    this.#url = url;
    this.#cookie = cookie;
  }

  /** Follows the sign-in link as a script with a cookie jar does: `GET sign_in_url` is all it needs. */
  static async open(ready: Ready): Promise<Session> {
    const response = await fetch(ready.sign_in_url, { redirect: 'manual' });
    const cookie = response.headers
      .getSetCookie()
      .map((text) => text.split(';', 1)[0])
      .join('; ');
    if (cookie === '') throw new Error(`The sign-in link set no cookie (${response.status}).`);
    return new Session(ready.query_api_url, cookie);
  }

  get cookie(): { name: string; value: string } {
    const [name = '', ...value] = this.#cookie.split('=');
    return { name, value: value.join('=') };
  }

  async call<Answer>(schema: z.ZodType<Answer>, method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { cookie: this.#cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return schema.parse(JSON.parse(text));
  }
}

/** Posts a body to ingest with the collector key. */
export async function post(
  ready: Ready,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${ready.ingest_url}${path}`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${ready.collector_key}` },
    body,
  });
  return { status: response.status, text: await response.text() };
}
