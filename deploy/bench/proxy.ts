import { request as send, Agent } from 'undici';
import { limitResult, median, type Bench, type BenchResult } from './bench.ts';
import { startIngestProcess } from './ingest-process.ts';
import { startServer } from './processes.ts';
import { latenciesAt } from './steady-load.ts';

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

export const proxy: Bench = {
  id: 'P12',
  summary: 'what the observing proxy adds to a streamed request',
  async run(context) {
    const { brokers } = await context.kafka();
    const provider = await startServer(context, new URL('./proxy-peers.ts', import.meta.url), 'provider');
    const bare = await startServer(context, new URL('./proxy-peers.ts', import.meta.url), 'proxy', provider);
    const ingest = await startIngestProcess(context, brokers, 'p12-', { PROXY_PROVIDERS: `anthropic=${provider}` });
    const routes = { direct: provider, bare, ours: `${ingest.url}/proxy/anthropic` };
    const agent = new Agent({ connections: null, pipelining: 1 });
    context.atEnd(() => agent.destroy());
    const figures = {
      ours: { p50: [] as number[], p99: [] as number[] },
      bare: { p50: [] as number[], p99: [] as number[] },
    };
    const latencies = (route: string, seconds: number) =>
      latenciesAt({ requestsPerSecond: REQUESTS_PER_SECOND, seconds, tickMs: TICK_MS }, () => ask(route, agent));
    for (const route of Object.values(routes)) await latencies(route, 2);
    for (let run = 0; run < context.runs; run++) {
      const direct = await latencies(routes.direct, SECONDS);
      for (const side of ['bare', 'ours'] as const) {
        const through = await latencies(routes[side], SECONDS);
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
  const what = `what the proxy adds to a streamed answer at ${REQUESTS_PER_SECOND} requests/s, ${part}`;
  const note = `a bare proxy on undici adds ${median(bare).toFixed(2)} ms`;
  return limitResult({ id: 'P12', what, unit: 'ms', ours: median(ours), note }, LIMITS_MS[part], ours);
}

/** Passes when the answer is a success, once its last byte is there. */
async function ask(base: string, agent: Agent): Promise<void> {
  const { statusCode, body } = await send(`${base}/v1/messages`, {
    dispatcher: agent,
    method: 'POST',
    headers: HEADERS,
    body: BODY,
  });
  await body.dump({ limit: 1024 * 1024 });
  if (statusCode !== 200) throw new Error(`P12 was answered ${statusCode}`);
}
