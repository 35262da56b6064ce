import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Scrapers give up after ten seconds; one store that hangs must not take the other figures with it. */
const READ_TIMEOUT_MS = 2_000;

async function soon<Value>(reading: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not read within ${READ_TIMEOUT_MS} ms`)), READ_TIMEOUT_MS);
  });
  return Promise.race([reading, late]).finally(() => clearTimeout(timer));
}

/** Metrics of one server. Labels are route patterns, never paths: a path can hold anything. */
export function installMetrics(
  app: FastifyInstance,
  read: {
    outboxUnsent: () => Promise<number>;
    changeListeners: () => number;
    /** Records of the usage topic that the detectors have not stored yet, by partition. */
    usageLag: () => Promise<readonly { partition: number; lag: number }[]>;
    verifyEvents: { readonly waiting: number; readonly lost: number };
  },
): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'lanewatch_query_api_request_duration_seconds',
    help: 'Time to answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    registers: [registry],
  });
  new Gauge({
    name: 'lanewatch_query_api_outbox_unsent',
    help: 'Registry changes committed and not confirmed by the bus; absent while the registry does not answer',
    registers: [registry],
    async collect() {
      const unsent = await soon(read.outboxUnsent()).catch(() => null);
      if (unsent === null) this.remove();
      else this.set(unsent);
    },
  });
  new Gauge({
    name: 'lanewatch_query_api_change_listeners',
    help: 'Open connections to /v1/changes',
    registers: [registry],
    collect() {
      this.set(read.changeListeners());
    },
  });
  new Gauge({
    name: 'lanewatch_query_api_verify_events_waiting',
    help: 'Usage events of verify that the bus does not have yet',
    registers: [registry],
    collect() {
      this.set(read.verifyEvents.waiting);
    },
  });
  new Gauge({
    name: 'lanewatch_query_api_verify_events_lost',
    help: 'Usage events of verify that found no room while the bus was away, since the start',
    registers: [registry],
    collect() {
      this.set(read.verifyEvents.lost);
    },
  });
  new Gauge({
    name: 'lanewatch_query_api_usage_lag_records',
    help: 'Records on the usage topic that the detectors have not stored yet; absent while the bus does not answer',
    labelNames: ['partition'],
    registers: [registry],
    async collect() {
      this.reset();
      const lags = await soon(read.usageLag()).catch(() => []);
      for (const { partition, lag } of lags) this.set({ partition }, lag);
    },
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    duration.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
