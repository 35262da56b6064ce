import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SESSION_COOKIE } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { bearerOf } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';

/** Below what proxies and browsers take for a dead connection. */
const HEARTBEAT_MS = 15_000;
const LISTENERS_MAX = 200;
const changesStreamSchema = z
  .string()
  .describe(
    'Events named `change`, with {"last_stored_at": instant or null, "findings_version": text, "registry_version": number, ' +
      '"ledger_answers": boolean} as data',
  );

/** `GET /v1/changes`: text/event-stream of changes. One poll serves all listeners. */
export function changeRoutes({ changes, accounts, tokens }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    const open = new Set<() => void>();
    app.addHook('preClose', async () => {
      for (const end of open) end();
    });

    app.get(
      '/v1/changes',
      {
        exposeHeadRoute: false,
        schema: {
          tags: ['reads'],
          summary: 'Server-sent events: rows or findings were stored or the registry changed; at most two a second',
          response: {
            200: {
              description: 'The first event tells the present state, those after it what became of it.',
              content: { 'text/event-stream': { schema: changesStreamSchema } },
            },
          },
        },
      },
      async (request, reply) => {
        if (changes.listeners >= LISTENERS_MAX) {
          throw new ProblemError('too_many_requests', 'Too many pages listen already.', [], { 'retry-after': '30' });
        }
        const { raw } = reply.hijack();
        // Gone while the session was looked up: 'close' is past, so nothing would ever end what is begun here.
        if (raw.destroyed) return;
        for (const [name, value] of Object.entries(reply.getHeaders()))
          if (value !== undefined) raw.setHeader(name, value);
        raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store, no-transform',
          'x-accel-buffering': 'no',
        });
        raw.write('retry: 2000\n\n');
        const send = (text: string): void => {
          // A reader that does not read loses its connection instead of filling our memory; it comes back by itself.
          // Not end(), which would wait behind what is not read.
          if (!raw.write(text) && raw.writableLength > 64 * 1024) raw.destroy();
        };
        const stop = changes.listen((change) => send(`event: change\ndata: ${JSON.stringify(change)}\n\n`));
        const cookie = request.cookies[SESSION_COOKIE] ?? '';
        const bearer = bearerOf(request);
        const stillIn = () => (bearer === null ? accounts.session(cookie, { isUse: false }) : tokens.principal(bearer));
        const heartbeat = setInterval(() => {
          send(': still here\n\n');
          // A session or token that ended, by sign-out or time, stops reading here as well. Listening on is not use.
          stillIn().then(
            (principal) => principal === null && end(),
            () => undefined,
          );
        }, HEARTBEAT_MS);
        const end = (): void => {
          clearInterval(heartbeat);
          stop();
          open.delete(end);
          raw.end();
        };
        open.add(end);
        raw.on('close', end);
      },
    );
  };
}
