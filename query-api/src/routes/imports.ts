import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { importedKeysSchema, importKeysSchema, importsSchema } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import { adminApis, readImports, settingOf } from '../imports/imports.ts';
import { importKeys } from '../imports/keys.ts';
import { AdminApiError, PROVIDERS } from '../imports/provider.ts';
import type { Services } from '../services/services.ts';
import { credentialAnswers } from './credential-answers.ts';

/** Keys and counts that providers' admin interfaces tell of. */
export function importRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, config, now } = services;
  const answers = credentialAnswers(services);
  const apis = adminApis(config.imports);

  return async (app) => {
    app.get(
      '/v1/imports',
      {
        schema: {
          tags: ['registry'],
          summary: 'Providers whose admin interface can be read, and what they counted lately',
          response: { 200: importsSchema },
        },
      },
      () => readImports(store, config.imports),
    );

    app.post(
      '/v1/imports/:provider',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary:
            'Register the keys that a provider’s admin interface tells of; by default it only says what it would do',
          params: z.object({ provider: z.enum(PROVIDERS) }),
          body: importKeysSchema.strict(),
          response: { 200: importedKeysSchema },
        },
      },
      async (request) => {
        const { provider } = request.params;
        const api = apis.get(provider);
        if (api === undefined)
          throw new ProblemError(
            'not_set_up',
            `The admin key of ${provider} is not set: name its file in ${settingOf(provider)}.`,
          );
        const onFault = (error: unknown): void =>
          request.log.warn({ err: error }, 'findings of imported keys not read');
        const parts = { db: database.db, store, modules: config.modules, nowMs: now(), onFault };
        const { dry_run, org } = request.body;
        const { outboxId, imported, ...told } = await importKeys(
          { ...parts, snapshot: await registry.current() },
          { api, provider, org: org || config.imports.org, dryRun: dry_run, actor: actorOf(request) },
        ).catch((error: unknown) => {
          if (error instanceof AdminApiError)
            throw new ProblemError(error.isRefused ? 'not_set_up' : 'unavailable', error.message);
          throw error;
        });
        const published = outboxId !== 0 && (await answers.published(outboxId));
        return { imported: { ...imported, published }, ...told };
      },
    );
  };
}
