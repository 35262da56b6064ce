import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request as send, Agent } from 'undici';
import { median, requireLoad, type Bench, type BenchContext, type BenchResult } from './bench.ts';
import { startIngestProcess } from './ingest-process.ts';
import { endProcess } from './processes.ts';

const REQUESTS_PER_SECOND = 500;
const SECONDS = 10;
const TICK_MS = 10;
/** What passing through may add to a request, at most. */
const LIMITS_MS = { p50: 1, p99: 5 } as const;
/** About the size of a question with some history. */
const BODY = JSON.stringify({
  model: 'claude-sonnet-4-5',
  stream: true,
  messages: [{ role: 'user', content: 'w'.repeat(8_000) }],
});
const HEADERS = {
  'content-type': 'application/json',
  'x-api-key': `sk-ant-api03-${'b'.repeat(93)}AA`,
  'user-agent': 'claude-cli/2.1.330 (external, cli)',
};

/** Starts one of the two peers. Returns its address. */
async function startPeer(context: BenchContext, ...args: string[]): Promise<string> {
  const entry = fileURLToPath(new URL('./proxy-peers.ts', import.meta.url));
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.atEnd(() => endProcess(child));
  for await (const url of createInterface({ input: child.stdout })) return url;
  throw new Error(`the ${args[0]!} of P12 did not start`);
}

export const proxy: Bench = {
  id: 'P12',
  summary: 'what the observing proxy adds to a streamed request',
  async run(context) {
    const { brokers } = await context.kafka();
    const provider = await startPeer(context, 'provider');
    const bare = await startPeer(context, 'proxy', provider);
    const ingest = await startIngestProcess(context, brokers, 'p12-', { PROXY_PROVIDERS: `anthropic=${provider}` });
    const routes = { direct: provider, bare, ours: `${ingest.url}/proxy/anthropic` };
    const agent = new Agent({ connections: null, pipelining: 1 });
    context.atEnd(() => agent.destroy());
    const figures = {
      ours: { p50: [] as number[], p99: [] as number[] },
      bare: { p50: [] as number[], p99: [] as number[] },
    };
    for (const route of Object.values(routes)) await latencies(route, agent, 2);
    for (let run = 0; run < context.runs; run++) {
      const direct = await latencies(routes.direct, agent, SECONDS);
      for (const side of ['bare', 'ours'] as const) {
        const through = await latencies(routes[side], agent, SECONDS);
        for (const part of ['p50', 'p99'] as const)
          figures[side][part].push(Math.max(through[part] - direct[part], 0.001));
      }
      const told = (side: 'bare' | 'ours') =>
        `${figures[side].p50.at(-1)!.toFixed(2)}/${figures[side].p99.at(-1)!.toFixed(2)}`;
      context.log(`P12 run ${run + 1}: added p50/p99 ms: ours ${told('ours')}, bare ${told('bare')}`);
    }
    return (['p50', 'p99'] as const).map((part) => resultOf(part, figures.ours[part], figures.bare[part]));
  },
};

function resultOf(part: 'p50' | 'p99', ours: number[], bare: number[]): BenchResult {
  const limit = LIMITS_MS[part];
  return {
    id: 'P12',
    what: `what the proxy adds to a streamed answer at ${REQUESTS_PER_SECOND} requests/s, ${part}`,
    against: 'limit',
    unit: 'ms',
    ours: median(ours),
    peer: limit,
    ratio: limit / median(ours),
    floor: 1,
    oursRuns: ours,
    peerRuns: [limit],
    note: `a bare proxy on undici adds ${median(bare).toFixed(2)} ms`,
  };
}

/** Asks at a steady rate, whatever the answers take, and measures each from its sending to its last byte; milliseconds. */
async function latencies(base: string, agent: Agent, seconds: number): Promise<{ p50: number; p99: number }> {
  const took: number[] = [];
  const open: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let dueMs = startedMs; dueMs < startedMs + seconds * 1000; dueMs += TICK_MS) {
    await delay(Math.max(0, dueMs - performance.now()));
    for (let at = 0; at < (REQUESTS_PER_SECOND * TICK_MS) / 1000; at++) open.push(ask(base, agent, took));
  }
  await Promise.all(open);
  requireLoad((took.length * 1000) / (performance.now() - startedMs), REQUESTS_PER_SECOND);
  const sorted = took.toSorted((a, b) => a - b);
  return { p50: median(sorted), p99: sorted[Math.ceil(sorted.length * 0.99) - 1]! };
}

async function ask(base: string, agent: Agent, took: number[]): Promise<void> {
  const sentMs = performance.now();
  const { statusCode, body } = await send(`${base}/v1/messages`, {
    dispatcher: agent,
    method: 'POST',
    headers: HEADERS,
    body: BODY,
  });
  await body.dump({ limit: 1024 * 1024 });
  if (statusCode !== 200) throw new Error(`P12 was answered ${statusCode}`);
  took.push(performance.now() - sentMs);
}
