import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { streamQuerySchema } from '../../contract/index.ts';
import { eventText, openStreams } from '../http/event-stream.ts';
import type { Services } from '../services/services.ts';

const changesStreamSchema = z
  .string()
  .describe(
    'Events named `change`, with {"last_stored_at": instant or null, "findings_version": text, "registry_version": number, ' +
      '"triage_version": number, "ledger_answers": boolean} as data',
  );
const eventStreamSchema = z
  .string()
  .describe(
    'Events `finding` (a new one, or one that grew), `triage` (somebody acted on one) and `registry`, each with an id; `change` as in ' +
      '/v1/changes, without; and `gap` when events after Last-Event-ID are not known any more: load anew what is shown',
  );
const answerOf = (schema: z.ZodString, description: string) => ({
  200: { description, content: { 'text/event-stream': { schema } } },
});

/** Streams of server-sent events. One poll serves all listeners. */
export function changeRoutes(services: Services): FastifyPluginAsyncZod {
  const { changes, stream } = services;
  return async (app) => {
    const streams = openStreams(services);
    app.addHook('preClose', async () => streams.end());

    app.get(
      '/v1/changes',
      {
        exposeHeadRoute: false,
        schema: {
          tags: ['reads'],
          summary: 'Server-sent events: rows or findings were stored, the registry changed or somebody triaged',
          description: 'At most two a second.',
          response: answerOf(
            changesStreamSchema,
            'The first event tells the present state, those after it what became of it.',
          ),
        },
      },
      async (request, reply) =>
        streams.serve(request, reply, (send) => changes.listen((change) => send(eventText('change', change)))),
    );

    app.get(
      '/v1/stream',
      {
        exposeHeadRoute: false,
        schema: {
          tags: ['findings'],
          summary: 'Server-sent events: findings as they come, what is done about them, changes of the registry',
          description: 'Resumed with the header Last-Event-ID, which browsers send by themselves after a cut.',
          querystring: streamQuerySchema.strict(),
          response: answerOf(eventStreamSchema, 'First what was missed, then what happens.'),
        },
      },
      async (request, reply) => {
        const lastId = request.headers['last-event-id'];
        const { since } = request.query;
        const from =
          typeof lastId === 'string' && lastId !== ''
            ? { lastId: lastId.slice(0, 64) }
            : since === undefined
              ? null
              : { sinceMs: Date.parse(since) };
        streams.serve(request, reply, (send) =>
          stream.listen(from, {
            onEvent: ({ id, event, data }) => send(eventText(event, data, id)),
            onChange: (change) => send(eventText('change', change)),
            onGap: () => send(eventText('gap', {})),
          }),
        );
      },
    );
  };
}
