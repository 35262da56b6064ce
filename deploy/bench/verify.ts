import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request as send } from 'undici';
import { VERIFY_SCOPE } from '@lanewatch/query-api/contract';
import { freePort } from '../kafka/start-kafka.ts';
import { median, type Bench, type BenchContext, type BenchResult } from './bench.ts';
import { endProcess, startServer, untilItAnswers } from './processes.ts';
import { fillRegistry, untilPublished } from './registry.ts';
import { latenciesAt } from './steady-load.ts';

const KEYS = 100_000;
/** Keys that are asked about, so that neither side answers one question only. */
const ASKED = 1_000;
const REQUESTS = 20_000;
const CONNECTIONS = 16;
const SECONDS = 5;
const TICK_MS = 2;
const LIMITS = { perSecond: 5_000, p99Ms: 5 };
const START_DEADLINE_MS = 120_000;
const entryOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface Load {
  perSecond: number;
  p99Ms: number;
}

/** Writes a registry as it is after years. Returns a secret that may verify, and some to ask about. */
async function prepareRegistry(databaseUrl: string): Promise<{ caller: string; asked: string[] }> {
  const callers = await fillRegistry(databaseUrl, 1, () => ({
    ...{ name: 'asks', environment: 'staging', scopes: [VERIFY_SCOPE] },
  }));
  const asked = await fillRegistry(databaseUrl, KEYS, (at) => ({
    ...{ name: `Key ${at}`, environment: 'staging', scopes: [{ action: 'write', resource: 'runs/*' }] },
  }));
  return { caller: callers[0]!, asked: asked.slice(0, ASKED) };
}

/** Starts query-api as its own process: from memory it verifies without ClickHouse, which is not there. Returns its address. */
async function startQueryApi(context: BenchContext, home: string, databaseUrl: string): Promise<string> {
  const authSecret = join(home, 'auth-secret');
  writeFileSync(authSecret, randomBytes(32).toString('hex'), { mode: 0o600 });
  const port = await freePort();
  const child = spawn(process.execPath, [entryOf('../../query-api/src/main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...{ AUTH_SECRET_FILE: authSecret, DATABASE_URL: databaseUrl, BUS_URL: `lmdb:${join(home, 'bus')}` },
      ...{ CLICKHOUSE_URL: 'http://127.0.0.1:9', QUERY_API_PORT: String(port), LOG_LEVEL: 'error' },
    },
  });
  context.atEnd(() => endProcess(child));
  const url = `http://127.0.0.1:${port}`;
  await untilItAnswers(child, { name: 'query-api', url: `${url}/healthz`, deadlineMs: START_DEADLINE_MS });
  return url;
}

/**
 * Asks over kept-alive connections: each as soon as it has its answer, for the most a second, then at the rate of the limit, for the
 * latency at that. @throws Error at the first answer that is not VALID
 */
async function load(base: string, { caller, asked }: { caller: string; asked: string[] }): Promise<Load> {
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1 });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${caller}` };
  let next = 0;
  const ask = async (): Promise<void> => {
    const body = JSON.stringify({ key: asked[next++ % asked.length], action: 'write', resource: 'runs/1' });
    const answer = await send(`${base}/v1/credentials/verify`, { dispatcher: agent, method: 'POST', headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200 || text.includes('"valid":false')) {
      throw new Error(`P11 was answered ${answer.statusCode}: ${text.slice(0, 200)}`);
    }
  };
  const askOn = async (): Promise<void> => {
    while (next < REQUESTS) await ask();
  };
  try {
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: CONNECTIONS }, askOn));
    const perSecond = (REQUESTS * 1000) / (performance.now() - startedMs);
    const plan = { requestsPerSecond: LIMITS.perSecond, seconds: SECONDS, tickMs: TICK_MS };
    return { perSecond, p99Ms: (await latenciesAt(plan, ask)).p99 };
  } finally {
    await agent.close();
  }
}

export const verify: Bench = {
  id: 'P11',
  summary: `POST /v1/credentials/verify with ${KEYS} keys in the registry`,
  async run(context) {
    const home = context.temporaryDirectory();
    mkdirSync(home);
    const databaseUrl = `pglite:${join(home, 'registry')}`;
    const keys = await prepareRegistry(databaseUrl);
    const ours = await startQueryApi(context, home, databaseUrl);
    await untilPublished(ours);
    const echo = await startServer(context, new URL('./echo-server.ts', import.meta.url));
    const figures: { ours: Load[]; echo: Load[] } = { ours: [], echo: [] };
    // One unmeasured round each: both processes compile their hot paths.
    for (const base of [ours, echo]) await load(base, keys);
    for (let run = 0; run < context.runs; run++) {
      figures.ours.push(await load(ours, keys));
      figures.echo.push(await load(echo, keys));
      const told = ({ perSecond, p99Ms }: Load) => `${Math.round(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms`;
      context.log(`P11 run ${run + 1}: verify ${told(figures.ours[run]!)}; echo ${told(figures.echo[run]!)}`);
    }
    return results(figures);
  },
};

function results(figures: { ours: Load[]; echo: Load[] }): BenchResult[] {
  const of = (side: 'ours' | 'echo', part: keyof Load) => figures[side].map((one) => one[part]);
  const line = (
    [part, what, unit]: [part: keyof Load, what: string, unit: string],
    limit: number,
    ratioOf: (ours: number) => number,
  ): BenchResult => {
    const oursRuns = of('ours', part);
    return {
      ...{ id: 'P11', what: `verify from memory, ${KEYS} keys, ${CONNECTIONS} connections, ${what}`, against: 'limit' },
      ...{ unit, ours: median(oursRuns), peer: limit, ratio: ratioOf(median(oursRuns)), floor: 1 },
      ...{ oursRuns, peerRuns: [limit] },
      note: `a fastify route that only echoes: ${median(of('echo', part)).toFixed(1)} ${unit}`,
    };
  };
  return [
    line(['perSecond', 'as many as are answered', 'requests/s'], LIMITS.perSecond, (ours) => ours / LIMITS.perSecond),
    line(['p99Ms', `p99 at ${LIMITS.perSecond} requests/s`, 'ms'], LIMITS.p99Ms, (ours) => LIMITS.p99Ms / ours),
  ];
}
