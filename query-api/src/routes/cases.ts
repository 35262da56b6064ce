import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { casesPageSchema, casesQuerySchema } from '../../contract/index.ts';
import { readCandidates } from '../cases/candidates.ts';
import { readCases } from '../cases/cases.ts';
import { actorOf } from '../http/session-auth.ts';
import { registryVersion } from '../registry/registry.ts';
import type { Services } from '../services/services.ts';

/** The queue of what needs a decision. */
export function caseRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, shared, now } = services;

  return async (app) => {
    app.get(
      '/v1/cases',
      {
        schema: {
          tags: ['reads'],
          summary: 'Lanes that need a decision, highest score first, alike ones as one entry',
          querystring: casesQuerySchema.strict(),
          response: { 200: casesPageSchema },
        },
      },
      async (request) => {
        const { query } = request;
        const version = await registryVersion(database.db);
        const candidates = () =>
          shared.read(`${version} cases ${query.window}`, () => readCandidates(store, query.window, now()));
        return readCases(store, database.db, candidates, query, { nowMs: now(), me: actorOf(request) });
      },
    );
  };
}
