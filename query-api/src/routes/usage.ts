import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { usageQuerySchema, usageSchema } from '../../contract/index.ts';
import { registryVersion } from '../registry/registry.ts';
import type { Services } from '../services/services.ts';
import { readUsage } from '../usage/usage.ts';

/** How keys are used. */
export function usageRoutes({ store, database, shared, now }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/usage',
      {
        schema: {
          tags: ['reads'],
          summary: 'Executions, failed authentications and calls of agents, over time and by key, module and agent',
          querystring: usageQuerySchema.strict(),
          response: { 200: usageSchema },
        },
      },
      async ({ query }) => {
        // Names of keys are the registry's.
        const key = `${await registryVersion(database.db)} usage ${JSON.stringify(query)}`;
        return shared.read(key, () => readUsage(store, query, now()));
      },
    );
  };
}
