import { throughputResult, type Bench } from './bench.ts';
import { httpLoad } from './http-load.ts';
import { startIngestProcess } from './ingest-process.ts';
import { startServer } from './processes.ts';
import { toInput } from './to-input.ts';
import { workload } from './workload.ts';

const EVENTS_PER_REQUEST = 100;
const REQUESTS = 1_500;
const CONNECTIONS = 32;

export const acceptance: Bench = {
  id: 'P4',
  summary: 'from an HTTP request to an acknowledged event',
  async run(context) {
    const { brokers } = await context.kafka();
    const ingest = await startIngestProcess(context, brokers, 'p4-');
    const parseOnlyUrl = await startServer(context, new URL('./parse-only-server.ts', import.meta.url));
    const lines = [...workload({ events: EVENTS_PER_REQUEST * REQUESTS, keys: 2_000, endMs: Date.now() })].map(
      (event) => JSON.stringify(toInput(event)),
    );
    const bodies = Array.from({ length: REQUESTS }, (_, request) =>
      lines.slice(request * EVENTS_PER_REQUEST, (request + 1) * EVENTS_PER_REQUEST).join('\n'),
    );
    const load = (base: string) =>
      httpLoad({
        url: `${base}/v1/events`,
        headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${ingest.collectorKey}` },
        body: (request) => bodies[request]!,
        requests: REQUESTS,
        connections: CONNECTIONS,
      });
    const ours: number[] = [];
    const limit: number[] = [];
    // One unmeasured round each: both processes compile their hot paths.
    await load(ingest.url);
    await load(parseOnlyUrl);
    for (let run = 0; run < context.runs; run++) {
      ours.push((await load(ingest.url)) * EVENTS_PER_REQUEST);
      limit.push((await load(parseOnlyUrl)) * EVENTS_PER_REQUEST);
      context.log(
        `P4 run ${run + 1}: ingest ${Math.round(ours.at(-1)!)}, parse only ${Math.round(limit.at(-1)!)} events/s`,
      );
    }
    const what = `NDJSON of ${EVENTS_PER_REQUEST} → authenticated, validated, redacted, acknowledged by Kafka`;
    return [throughputResult({ id: 'P4', what, against: 'a fastify route that only parses', floor: 0.3 }, ours, limit)];
  },
};
