import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

/** When whoever waits for a process at work should ask again. */
const RETRY_AFTER_S = 1;

export interface HealthServerOptions {
  host: string;
  port: number;
  metrics: Registry;
  readiness: Pick<Readiness, 'reason' | 'isAtWork'>;
}

/** Answers `/healthz`, `/readyz` and `/metrics`; nothing else. Resolves once it listens. */
export function startHealthServer(options: HealthServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    const respond = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    switch (request.url) {
      case '/healthz':
        respond(200, 'application/json', '{"status":"ok"}');
        return;
      case '/readyz': {
        const { reason, isAtWork } = options.readiness;
        if (isAtWork) response.setHeader('retry-after', RETRY_AFTER_S);
        respond(reason === null ? 200 : 503, 'application/json', JSON.stringify({ ready: reason === null, reason }));
        return;
      }
      case '/metrics':
        options.metrics.metrics().then(
          (text) => respond(200, options.metrics.contentType, text),
          (error: unknown) => respond(500, 'text/plain', String(error)),
        );
        return;
      default:
        respond(
          404,
          'application/problem+json',
          '{"type":"about:blank","title":"Not found","status":404,"detail":"Only /healthz, /readyz and /metrics are served here."}',
        );
    }
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => resolve(server));
  });
}
