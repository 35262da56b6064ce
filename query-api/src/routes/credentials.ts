import { z } from 'zod';
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
import { ProblemError } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import { listCredentials, readLastUsed } from '../registry/list.ts';
import { holdsRawKey } from '../../contract/raw-key.ts';
import { itemOf } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import { registerCredential } from '../registry/register.ts';
import { revokeCredential } from '../registry/registry.ts';
import type { Services } from '../services.ts';

/** How long an answer waits for the bus to confirm; the change is committed either way and follows later. */
export const PUBLISH_WAIT_MS = 5_000;
const credentialParams = z.object({ id: z.string().min(1).max(64) });

/** The registry. */
export function credentialRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, publisher, collectors, changes, now } = services;
  const { db } = database;

  async function lastUsedOf(row: CredentialRow): Promise<number | null> {
    return (await readLastUsed(store, collectors, [row])).get(row.id) ?? null;
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
      async ({ query }) => {
        const { all } = await registry.current();
        return listCredentials({ db, store, collectors, nowMs: now() }, all, query);
      },
    );

    app.post(
      '/v1/credentials',
      {
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
        const lastUsedMs = await lastUsedOf(added.row).catch(() => null);
        return reply.status(201).send({
          credential: itemOf(added.row, lastUsedMs, now()),
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
      async ({ params }) => {
        const row = await db.selectFrom('credentials').selectAll().where('id', '=', params.id).executeTakeFirst();
        if (row === undefined) throw new ProblemError('not_found', 'No credential has this id.');
        return itemOf(row, await lastUsedOf(row), now());
      },
    );

    app.post(
      '/v1/credentials/:id/revoke',
      {
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
        const lastUsedMs = await lastUsedOf(revoked.row).catch(() => null);
        return { ...itemOf(revoked.row, lastUsedMs, now()), published: isPublished };
      },
    );
  };
}
