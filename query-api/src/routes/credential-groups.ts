import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  directoryCreateSchema,
  directoryEditSchema,
  directorySchema,
  environmentsSchema,
  modulesSchema,
  ownersSchema,
} from '../../contract/index.ts';
import type { DirectoryKind } from '../../contract/index.ts';
import { triageVersion } from '../findings/version.ts';
import { actorOf } from '../http/session-auth.ts';
import { addToDirectory, editInDirectory, readDirectory } from '../registry/directory.ts';
import { environmentsOf, modulesOf } from '../registry/modules.ts';
import { readOwners } from '../registry/owners.ts';
import { readWorstOpen } from '../registry/worst-open.ts';
import type { Services } from '../services/services.ts';
import { credentialAnswers } from './credential-answers.ts';

const DIRECTORIES: readonly { path: string; kind: DirectoryKind; what: string }[] = [
  { path: '/v1/projects', kind: 'project', what: 'Projects' },
  { path: '/v1/teams', kind: 'team', what: 'Teams' },
  { path: '/v1/service-accounts', kind: 'service_account', what: 'Service accounts' },
];

/** Keys by what they are for and where they work, and what they belong to. */
export function credentialGroupRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, lastUses, shared, config, now } = services;
  const { db } = database;
  const answers = credentialAnswers(services);

  return async (app) => {
    app.get(
      '/v1/credentials/modules',
      {
        schema: {
          tags: ['registry'],
          summary: 'Keys by module: how many, last use, risk and its reasons',
          response: { 200: modulesSchema },
        },
      },
      async ({ log }) => {
        const snapshot = await registry.current();
        await lastUses.fresh();
        // Of the same keys and decisions, whoever asks at once or soon after shares what the ledger said.
        const key = `worst open ${snapshot.version} ${await triageVersion(db)}`;
        const worstOpen = await shared
          .read(key, () => readWorstOpen(store, db, snapshot, now()))
          .catch((error: unknown) => {
            log.warn({ err: error }, 'open findings of keys not read');
            return new Map();
          });
        return modulesOf(snapshot, { modules: config.modules, lastUses, nowMs: now(), worstOpen });
      },
    );

    app.get(
      '/v1/credentials/environments',
      {
        schema: {
          tags: ['registry'],
          summary: 'Keys by environment: how many and last use',
          response: { 200: environmentsSchema },
        },
      },
      async () => {
        const snapshot = await registry.current();
        await lastUses.fresh();
        return environmentsOf(snapshot, { lastUses, nowMs: now() });
      },
    );

    app.get(
      '/v1/owners',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'Who may answer for a key: people with an account, and service accounts',
          response: { 200: ownersSchema },
        },
      },
      async () => readOwners(db),
    );

    for (const { path, kind, what } of DIRECTORIES) {
      const list = async () => readDirectory(db, await registry.current(), kind, now());

      app.get(
        path,
        { schema: { tags: ['registry'], summary: `${what} with their keys`, response: { 200: directorySchema } } },
        list,
      );

      app.post(
        path,
        {
          config: { can: 'organisation.manage' },
          schema: {
            tags: ['registry'],
            summary: `${what}: make one`,
            body: directoryCreateSchema.strict(),
            response: { 201: directorySchema },
          },
        },
        async (request, reply) => {
          await addToDirectory(db, kind, request.body, { actor: actorOf(request), nowMs: now() });
          return reply.status(201).send(await list());
        },
      );

      app.patch(
        `${path}/:name`,
        {
          config: { can: 'organisation.manage' },
          schema: {
            tags: ['registry'],
            summary: `${what}: change, rename or archive one`,
            params: z.object({ name: z.string().min(1).max(200) }),
            body: directoryEditSchema.strict(),
            response: { 200: directorySchema },
          },
        },
        async (request) => {
          const by = { actor: actorOf(request), nowMs: now() };
          const outboxId = await editInDirectory(db, kind, request.params.name, request.body, by);
          if (outboxId !== 0) await answers.published(outboxId);
          return list();
        },
      );
    }
  };
}
