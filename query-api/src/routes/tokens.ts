import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { credentialCreateSchema, tokenCreatedSchema, tokenCreateSchema, tokensSchema } from '../../contract/index.ts';
import { appendAccountEvent } from '../accounts/audit.ts';
import { mayHold, scopesOf } from '../accounts/tokens.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import { actorOf, principalOf, requireStepUp } from '../http/session-auth.ts';
import { registerCredential } from '../registry/register.ts';
import { change } from '../registry/registry.ts';
import { revokeInChange } from '../registry/revoke.ts';
import type { Services } from '../services/services.ts';
import { PUBLISH_WAIT_MS } from './credential-answers.ts';

const own = { can: 'own_account', sessionOnly: true, commitsItself: true } as const;
const DAY_MS = 24 * 3_600_000;

/** Personal API tokens: credentials of the registry that speak for a person here. */
export function tokenRoutes(services: Services): FastifyPluginAsyncZod {
  const { changes, config, database, now, publisher, store, tokens } = services;
  const { db } = database;

  return async (app) => {
    app.get(
      '/v1/me/tokens',
      { config: own, schema: { tags: ['account'], summary: 'One’s API tokens', response: { 200: tokensSchema } } },
      async (request) => ({ items: await tokens.list(principalOf(request).person.id) }),
    );

    app.post(
      '/v1/me/tokens',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Issue an API token; its secret is in this answer and never again',
          description:
            'Send it as `Authorization: Bearer lw_…`. One of access admin needs a TOTP code proved within 15 minutes.',
          body: tokenCreateSchema.strict(),
          response: { 201: tokenCreatedSchema },
        },
      },
      async (request, reply) => {
        const { person, role } = principalOf(request);
        const { name, access, expires_in_days: days } = request.body;
        if (!mayHold(role, access)) throw fieldProblem('access', `is more than the role ${role} may give`);
        if (access === 'admin') requireStepUp(request, now());
        const input = credentialCreateSchema.parse({
          kind: 'managed',
          name,
          environment: 'production',
          owner: person.email,
          owner_kind: 'person',
          scopes: scopesOf(access),
          expires_at: new Date(now() + days * DAY_MS).toISOString(),
        });
        const onFault = (error: unknown): void => request.log.warn({ err: error }, 'findings of the token not read');
        const actor = actorOf(request);
        const issued = await registerCredential(
          { db, store, modules: config.modules, nowMs: now(), onFault },
          input,
          actor,
          async (transaction, { row: { id, fingerprint } }) => {
            await tokens.add(transaction, { credentialId: id, fingerprint, userId: person.id, access });
            const event = { actor, action: 'account.token_issued', detail: `${id} ${access}`, nowMs: now() } as const;
            await appendAccountEvent(transaction, event);
          },
        );
        await publisher.published(issued.outboxId, PUBLISH_WAIT_MS);
        changes.poke();
        const token = (await tokens.list(person.id)).find(({ id }) => id === issued.row.id)!;
        return reply.status(201).send({ token, secret: issued.secret! });
      },
    );

    app.post(
      '/v1/me/tokens/:id/revoke',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Revoke one of one’s API tokens for ever',
          params: z.object({ id: z.string().min(1).max(64) }),
          body: z.object({}).strict().nullish(),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const mine = await tokens.list(principalOf(request).person.id);
        if (!mine.some((token) => token.id === id))
          throw new ProblemError('not_found', 'You have no token of this id.');
        const actor = actorOf(request);
        const nowMs = now();
        const revoked = await change(db, async (transaction) => {
          const ended = await revokeInChange(transaction, { id, actor, reason: 'Revoked by its owner', nowMs });
          await appendAccountEvent(transaction, { actor, action: 'account.token_revoked', detail: id, nowMs });
          return ended;
        });
        await publisher.published(revoked.outboxId, PUBLISH_WAIT_MS);
        changes.poke();
        return reply.status(204).send(null);
      },
    );
  };
}
