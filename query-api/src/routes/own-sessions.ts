import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { sessionsSchema } from '../../contract/index.ts';
import { authHeadersOf } from '../accounts/accounts.ts';
import { recordAccountEvent } from '../accounts/audit.ts';
import { ProblemError } from '../http/problem.ts';
import { actorOf, principalOf } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';

const own = { can: 'own_account', sessionOnly: true } as const;
const sessionParams = z.object({ id: z.string().min(1).max(64) });
const nothing = z.object({}).strict().nullish();

/** The signed-in person's sessions: seen, and ended one by one. */
export function ownSessionRoutes(services: Services): FastifyPluginAsyncZod {
  const { accounts, config, database, now } = services;
  const { auth } = accounts;
  const { db } = database;

  return async (app) => {
    app.get(
      '/v1/me/sessions',
      {
        config: own,
        schema: { tags: ['account'], summary: 'One’s sessions', response: { 200: sessionsSchema } },
      },
      async (request) => {
        const { person, session } = principalOf(request);
        const rows = await db
          .selectFrom('sessions')
          .select(['id', 'created_at', 'updated_at', 'expires_at', 'ip_address', 'user_agent'])
          .where('user_id', '=', person.id)
          .where('expires_at', '>', new Date(now()))
          .orderBy('updated_at', 'desc')
          .execute();
        return {
          items: rows.map((row) => ({
            id: row.id,
            is_this_one: row.id === session?.id,
            created_at: row.created_at.toISOString(),
            last_used_at: row.updated_at.toISOString(),
            expires_at: row.expires_at.toISOString(),
            ip: row.ip_address ?? '',
            user_agent: row.user_agent ?? '',
          })),
        };
      },
    );

    app.post(
      '/v1/me/sessions/:id/revoke',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'End one of one’s sessions',
          params: sessionParams,
          body: nothing,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { person } = principalOf(request);
        const row = await db
          .selectFrom('sessions')
          .select('token')
          .where('id', '=', request.params.id)
          .where('user_id', '=', person.id)
          .executeTakeFirst();
        if (row === undefined) throw new ProblemError('not_found', 'You have no session of this id.');
        await auth.api.revokeSession({
          headers: authHeadersOf(request, config.dashboardUrl),
          body: { token: row.token },
        });
        await recordAccountEvent(db, { actor: actorOf(request), action: 'account.session_revoked', nowMs: now() });
        return reply.status(204).send(null);
      },
    );
  };
}
