import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { endAct, newAct, together } from '../registry/together.ts';
import type { Act } from '../registry/together.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request changes of accounts; null where every change is committed by itself. */
    act: Act | null;
  }
  interface FastifyContextConfig {
    /** It waits for what only a committed change brings about, so it sees to its transactions itself. */
    commitsItself?: boolean;
  }
}

const ACCOUNT_TAGS = ['sign-in', 'account', 'people'];

const isOfAccounts = ({ method, schema, config }: RouteOptions): boolean =>
  method !== 'HEAD' &&
  config?.commitsItself !== true &&
  ACCOUNT_TAGS.some((tag) => (schema as { tags?: readonly string[] } | undefined)?.tags?.includes(tag));

/**
 * What a request does to an account and its line in the audit trail are one transaction, although the library that does it knows nothing of the
 * trail. It is committed before the answer goes out. An answer that refuses keeps what was changed, such as a counted wrong code; a fault
 * keeps nothing.
 */
export function installAccountActs(app: FastifyInstance): void {
  app.decorateRequest('act', null);
  app.addHook('onRoute', (route) => {
    if (!isOfAccounts(route)) return;
    const { handler } = route;
    route.handler = function (request: FastifyRequest, reply) {
      request.act = newAct();
      return together(request.act, () => handler.call(this, request, reply));
    };
  });
  app.addHook('onSend', async (request, reply) => {
    if (request.act !== null) await endAct(request.act, reply.statusCode < 500);
  });
}
