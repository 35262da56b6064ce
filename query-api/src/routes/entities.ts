import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  entitiesPageSchema,
  entitiesQuerySchema,
  entityDetailSchema,
  entityKindSchema,
  sessionQuerySchema,
  sessionSchema,
  valueOfSegment,
  windowSchema,
  WINDOW_DEFAULT,
} from '../../contract/index.ts';
import { readEntity } from '../entities/detail.ts';
import { readEntitiesPage } from '../entities/list.ts';
import { ProblemError } from '../http/problem.ts';
import { registryVersion } from '../registry/registry.ts';
import type { Services } from '../services/services.ts';
import { readSession } from '../sessions/session.ts';

const SEGMENT_DESCRIPTION =
  'Percent-encoded. `~` stands for the empty value, and comes before a value that is `.`, `..` or begins with `~`.';
const segment = z.string().min(1).max(600).describe(SEGMENT_DESCRIPTION).transform(valueOfSegment);

/** People, endpoints, agents, repositories, models, sessions and organisations, as events name them. */
export function entityRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, shared, now } = services;
  const { db } = database;

  return async (app) => {
    app.get(
      '/v1/entities/:kind',
      {
        schema: {
          tags: ['reads'],
          summary: 'Values of a kind, with the keys that each used',
          params: z.object({ kind: entityKindSchema }),
          querystring: entitiesQuerySchema.strict(),
          response: { 200: entitiesPageSchema },
        },
      },
      async ({ params: { kind }, query }) => {
        const version = await registryVersion(db);
        return shared.read(`${version} ${kind} ${JSON.stringify(query)}`, () =>
          readEntitiesPage(store, kind, query, now()),
        );
      },
    );

    app.get(
      '/v1/entities/:kind/:value',
      {
        schema: {
          tags: ['reads'],
          summary: 'One value with the four groups seen from it',
          params: z.object({ kind: entityKindSchema, value: segment }),
          querystring: z.object({ window: windowSchema.default(WINDOW_DEFAULT) }).strict(),
          response: { 200: entityDetailSchema },
        },
      },
      async ({ params: { kind, value }, query: { window } }) => {
        const version = await registryVersion(db);
        const entity = await shared.read(`${version} one ${kind} ${window} ${value}`, () =>
          readEntity(store, kind, value, window, now()),
        );
        if (entity === null) throw new ProblemError('not_found', 'No event ever had this value.');
        return entity;
      },
    );

    app.get(
      '/v1/sessions/:session',
      {
        schema: {
          tags: ['reads'],
          summary: 'One run in order, call by call',
          params: z.object({ session: segment }),
          querystring: sessionQuerySchema.strict(),
          response: { 200: sessionSchema },
        },
      },
      async ({ params, query }) => {
        const session = params.session === '' ? null : await readSession(store, params.session, query, now());
        if (session === null) throw new ProblemError('not_found', 'No event ever named this session.');
        return session;
      },
    );
  };
}
