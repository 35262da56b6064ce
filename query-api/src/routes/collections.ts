import { isPrivileged } from '@lanewatch/ingest/contract';
import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { collectedSchema, collectionDetailSchema, collectionsSchema } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { actorOf, principalOf, requireStepUp, stepUpEndMs } from '../http/session-auth.ts';
import { collect } from '../policies/collections.ts';
import type { CollectionRow } from '../policies/collections.ts';
import { readFacts } from '../policies/facts.ts';
import type { Facts } from '../policies/facts.ts';
import { collectionOf, readCollections } from '../policies/overview.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { Services } from '../services/services.ts';
import { credentialAnswers } from './credential-answers.ts';

const params = z.object({ id: z.uuid() });

/** New secrets that wait for the owners of keys. */
export function collectionRoutes(services: Services): FastifyPluginAsyncZod {
  const { policies: parts, registry, now } = services;
  const { db } = parts;
  const tags = ['governance'];
  const answers = credentialAnswers(services);

  /** Its owner; an admin where nobody who can sign in answers for it. */
  function isFor(request: FastifyRequest, key: CredentialRow, facts: Facts): boolean {
    const { person, role } = principalOf(request);
    const email = facts.answersFor(key);
    return email === person.email.toLowerCase() || (role === 'admin' && !facts.isPerson(email));
  }

  async function find(id: string): Promise<{ row: CollectionRow; key: CredentialRow }> {
    const row = await db.selectFrom('collections').selectAll().where('id', '=', id).executeTakeFirst();
    const key = row === undefined ? undefined : (await registry.current()).byId.get(row.credential_id);
    if (row === undefined || key === undefined) throw new ProblemError('not_found', 'Nothing to collect has this id.');
    return { row, key };
  }

  return async (app) => {
    app.get(
      '/v1/collections',
      {
        schema: {
          tags,
          summary: 'New secrets that wait for whoever asks; for admins those of everybody',
          response: { 200: collectionsSchema },
        },
      },
      async (request) => {
        const facts = await readFacts(parts);
        const { byId } = await registry.current();
        const open = await readCollections(parts, 'open');
        const isAdmin = principalOf(request).role === 'admin';
        const shown = open.filter(({ key }) => isAdmin || isFor(request, byId.get(key.id)!, facts));
        return { items: shown.map(({ row, key }) => collectionOf(row, key)) };
      },
    );

    app.get(
      '/v1/collections/:id',
      {
        schema: {
          tags,
          summary: 'What waits, for whom and how long',
          params,
          response: { 200: collectionDetailSchema },
        },
      },
      async (request) => {
        const { row, key } = await find(request.params.id);
        const mayCollect = isFor(request, key, await readFacts(parts));
        return {
          ...collectionOf(row, key),
          may_collect: mayCollect,
          needs_step_up: isPrivileged(key.scopes) && stepUpEndMs(principalOf(request), now()) === null,
        };
      },
    );

    app.post(
      '/v1/collections/:id/collect',
      {
        config: { can: 'credentials.collect', sessionOnly: true },
        schema: {
          tags,
          summary: 'Make the new secret and show it, this once. Only for the owner of the key',
          params,
          response: { 200: collectedSchema },
        },
      },
      async (request) => {
        const { row, key } = await find(request.params.id);
        if (!isFor(request, key, await readFacts(parts))) {
          throw new ProblemError(
            'not_allowed',
            'Only the owner of the key may collect its secret. Nothing was changed.',
          );
        }
        if (isPrivileged(key.scopes)) requireStepUp(request, now());
        const rotation = await collect(db, { id: row.id, actor: actorOf(request), nowMs: now() });
        return {
          credential_id: key.id,
          name: key.name,
          secret: rotation.secret!,
          previous_valid_until: rotation.previous.ends_at!.toISOString(),
          published: await answers.published(rotation.outboxId),
        };
      },
    );
  };
}
