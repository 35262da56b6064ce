import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics of one server. Labels are route patterns, never paths: a path can hold anything. */
export function installMetrics(
  app: FastifyInstance,
  read: { outboxUnsent: () => Promise<number>; changeListeners: () => number },
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
    help: 'Registry changes committed and not confirmed by the bus',
    registers: [registry],
    async collect() {
      this.set(await read.outboxUnsent());
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
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    duration.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
