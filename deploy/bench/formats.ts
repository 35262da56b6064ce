import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { throughputResult, type Bench, type BenchContext, type BenchResult } from './bench.ts';
import { httpLoad } from './http-load.ts';
import { startIngestProcess, type IngestProcess } from './ingest-process.ts';
import { startServer } from './processes.ts';

/** One format, with what its program really sends. */
interface Sent {
  format: string;
  path: string;
  /** Below ingest/src/formats. */
  fixture: string;
}

const SENT: readonly Sent[] = [
  { format: 'Claude Code', path: '/v1/logs', fixture: 'claude-code/fixtures/v2.1.197-logs-api_request.http-json.json' },
  { format: 'Codex', path: '/v1/logs', fixture: 'codex/fixtures/v0.169.0-logs.http-json.json' },
  { format: 'Gemini CLI', path: '/v1/logs', fixture: 'gemini-cli/fixtures/logs.http-json.json' },
  { format: 'GenAI spans', path: '/v1/traces', fixture: 'genai/fixtures/otel-openai-traces.http-json.json' },
  { format: 'LiteLLM', path: '/v1/litellm', fixture: 'litellm/fixtures/v1.109.1-virtual-key.json.gz' },
  { format: 'Kong', path: '/v1/kong', fixture: 'kong/fixtures/logging-plugin-sample.rendered-3.8.json' },
  { format: 'Envoy AI Gateway', path: '/v1/envoy', fixture: 'envoy/fixtures/llm-access-log.json' },
  { format: 'Langfuse', path: '/api/public/ingestion', fixture: 'langfuse/fixtures/litellm-completion_with_tags.json' },
  { format: 'Helicone', path: '/custom/v1/log', fixture: 'helicone/fixtures/manual-logger-basic.docs.json' },
  { format: 'CloudEvents', path: '/v1/events', fixture: 'cloudevents/fixtures/quickstart-event.json' },
  { format: 'Bedrock’s log', path: '/v1/records', fixture: 'aws/fixtures/model-invocation-log.json' },
  { format: 'Vertex’ audit log', path: '/v1/records', fixture: 'gcp-audit/fixtures/generate-content.json' },
];
/** Types that tell the body apart on their route. */
const MEDIA_TYPES: Readonly<Record<string, string>> = { CloudEvents: 'application/cloudevents+json' };

const REQUESTS = 600;
const CONNECTIONS = 16;
/** A third of what own events reach against parsing alone (P4): most bodies hold one event, and each waits for Kafka by itself. */
const FLOOR = 0.1;

export const formats: Bench = {
  id: 'P4f',
  summary: 'each format from an HTTP request to acknowledged events',
  async run(context) {
    const { brokers } = await context.kafka();
    const ingest = await startIngestProcess(context, brokers, 'p4f-');
    const parseOnlyUrl = await startServer(context, new URL('./parse-only-server.ts', import.meta.url));
    const results: BenchResult[] = [];
    for (const sent of SENT) results.push(await measured(context, sent, ingest, parseOnlyUrl));
    return results;
  },
};

async function measured(
  context: BenchContext,
  { format, path, fixture }: Sent,
  ingest: IngestProcess,
  parseOnlyUrl: string,
): Promise<BenchResult> {
  const bytes = readFileSync(new URL(`../../ingest/src/formats/${fixture}`, import.meta.url));
  const text = (fixture.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const load = (url: string, requests: number, contentType: string) =>
    httpLoad({
      ...{ url, requests, connections: CONNECTIONS, body: () => text },
      headers: { 'content-type': contentType, authorization: `Bearer ${ingest.collectorKey}` },
    });
  const toIngest = (requests: number) => load(ingest.url + path, requests, MEDIA_TYPES[format] ?? 'application/json');
  const toParser = () => load(`${parseOnlyUrl}/v1/parsed`, REQUESTS, 'application/json');
  const before = await eventsAccepted(ingest.url);
  await toIngest(1);
  const events = (await eventsAccepted(ingest.url)) - before;
  if (events === 0) throw new Error(`${format}: nothing of ${fixture} was accepted`);
  // One unmeasured round each: both processes compile their hot paths.
  await toIngest(REQUESTS);
  await toParser();
  const ours: number[] = [];
  const limit: number[] = [];
  for (let run = 0; run < context.runs; run++) {
    ours.push((await toIngest(REQUESTS)) * events);
    limit.push((await toParser()) * events);
  }
  const what = `${format}: ${events} ${events === 1 ? 'event' : 'events'} in ${Math.ceil(text.length / 1024)} KB, acknowledged by Kafka`;
  context.log(`P4f ${format}: ingest ${Math.round(ours.at(-1)!)}, parse only ${Math.round(limit.at(-1)!)} events/s`);
  return throughputResult({ id: 'P4f', what, against: 'a fastify route that only parses', floor: FLOOR }, ours, limit);
}

/** How many events ingest has accepted so far, of all formats. */
async function eventsAccepted(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counts = metrics.matchAll(/^lanewatch_ingest_events_total\{[^}]*result="accepted"[^}]*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
