import { z } from 'zod';
import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  credentialCreatedSchema,
  credentialCreateSchema,
  credentialItemSchema,
  credentialRevokedSchema,
  credentialRevokeSchema,
  credentialsPageSchema,
  credentialsQuerySchema,
} from '../../contract/index.ts';
import type { CredentialItem } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import { readLastUses } from '../registry/last-use.ts';
import { listCredentials } from '../registry/list.ts';
import { holdsRawKey } from '../../contract/raw-key.ts';
import { itemOf } from '../registry/record.ts';
import type { CredentialRow, LastUse } from '../registry/record.ts';
import { registerCredential } from '../registry/register.ts';
import { revokeCredential } from '../registry/registry.ts';
import type { Services } from '../services/services.ts';

/** How long an answer waits for the bus to confirm; the change is committed either way and follows later. */
export const PUBLISH_WAIT_MS = 5_000;
const credentialParams = z.object({ id: z.string().min(1).max(64) });

/** The registry. */
export function credentialRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, publisher, collectors, changes, now } = services;
  const { db } = database;

  async function lastUses(rows: CredentialRow[], log: FastifyBaseLogger): Promise<(id: string) => LastUse> {
    const onFault = (error: unknown): void => log.warn({ err: error }, 'last use of credentials not read');
    return readLastUses({ store, collectors, onFault }, rows);
  }

  async function itemNow(row: CredentialRow, log: FastifyBaseLogger): Promise<CredentialItem> {
    const lastUseOf = await lastUses([row], log);
    return itemOf(row, lastUseOf(row.id), now());
  }

  /** The answer tells that the key's next event meets the change, so it waits until the bus has it. */
  async function published(outboxId: number): Promise<boolean> {
    const sent = await publisher.published(outboxId, PUBLISH_WAIT_MS);
    changes.poke();
    return sent;
  }

  return async (app) => {
    app.get(
      '/v1/credentials',
      {
        schema: {
          tags: ['registry'],
          summary: 'Managed and registered credentials, newest first',
          querystring: credentialsQuerySchema.strict(),
          response: { 200: credentialsPageSchema },
        },
      },
      async ({ query, log }) => {
        const { all } = await registry.current();
        return listCredentials({ db, lastUses: (rows) => lastUses(rows, log), nowMs: now() }, all, query);
      },
    );

    app.post(
      '/v1/credentials',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'Register a provider’s key by fingerprint or by hint and org, or issue a managed key',
          description:
            'A raw key is refused: hash it where it is typed. The secret of a managed key is in this answer and never again.',
          body: credentialCreateSchema.strict(),
          response: { 201: credentialCreatedSchema },
        },
      },
      async (request, reply) => {
        const onFault = (error: unknown): void => request.log.warn({ err: error }, 'findings of the new key not read');
        const added = await registerCredential({ db, store, nowMs: now(), onFault }, request.body, actorOf(request));
        const isPublished = await published(added.outboxId);
        return reply.status(201).send({
          credential: await itemNow(added.row, request.log),
          secret: added.secret,
          findings_resolved: added.findingsResolved,
          standing: added.standing,
          published: isPublished,
        });
      },
    );

    app.get(
      '/v1/credentials/:id',
      {
        schema: {
          tags: ['registry'],
          summary: 'One credential',
          params: credentialParams,
          response: { 200: credentialItemSchema },
        },
      },
      async ({ params, log }) => {
        const row = await db.selectFrom('credentials').selectAll().where('id', '=', params.id).executeTakeFirst();
        if (row === undefined) throw new ProblemError('not_found', 'No credential has this id.');
        return itemNow(row, log);
      },
    );

    app.post(
      '/v1/credentials/:id/revoke',
      {
        config: { can: 'credentials.revoke' },
        schema: {
          tags: ['registry'],
          summary: 'Revoke for ever',
          params: credentialParams,
          body: credentialRevokeSchema.strict(),
          response: { 200: credentialRevokedSchema },
        },
      },
      async (request) => {
        const { reason } = request.body;
        if (holdsRawKey(reason)) {
          throw new ProblemError('raw_key', 'The reason looks like it holds a raw key. Nothing was changed.', [
            { path: 'reason', message: 'looks like a raw key' },
          ]);
        }
        const actor = actorOf(request);
        const revoked = await revokeCredential(db, { id: request.params.id, actor, reason, nowMs: now() });
        const isPublished = await published(revoked.outboxId);
        return { ...(await itemNow(revoked.row, request.log)), published: isPublished };
      },
    );
  };
}
