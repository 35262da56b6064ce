import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { passkeyCreateSchema, passkeysSchema, webauthnSchema } from '../../contract/index.ts';
import { authHeadersOf } from '../accounts/accounts.ts';
import { recordAccountEvent } from '../accounts/audit.ts';
import type { AccountAction } from '../accounts/audit.ts';
import { asProblem } from '../http/auth-problem.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import { actorOf, passCookies, principalOf, requireStepUp } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';

const own = { can: 'own_account', sessionOnly: true } as const;
const nothing = z.object({}).strict().nullish();

/** Passkeys of the signed-in person. */
export function passkeyRoutes(services: Services): FastifyPluginAsyncZod {
  const { accounts, config, database, now } = services;
  const { api } = accounts.auth;
  const headersOf = (request: FastifyRequest): Headers => authHeadersOf(request, config.dashboardUrl);
  const record = (request: FastifyRequest, action: AccountAction): Promise<void> =>
    recordAccountEvent(database.db, { actor: actorOf(request), action, nowMs: now() });

  return async (app) => {
    app.get(
      '/v1/me/passkeys',
      { config: own, schema: { tags: ['account'], summary: 'One’s passkeys', response: { 200: passkeysSchema } } },
      async (request) => ({
        items: (await api.listPasskeys({ headers: headersOf(request) })).map(({ id, name, createdAt }) => ({
          id,
          name: name ?? '',
          created_at: createdAt?.toISOString() ?? null,
        })),
      }),
    );

    app.post(
      '/v1/me/passkeys/options',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'What the browser needs to make a passkey; after a fresh TOTP code where there is an authenticator',
          body: nothing,
          response: { 200: webauthnSchema },
        },
      },
      async (request, reply) => {
        if (principalOf(request).person.twoFactorEnabled) requireStepUp(request, now());
        const headers = headersOf(request);
        const made = await api.generatePasskeyRegistrationOptions({ headers, query: {}, returnHeaders: true });
        passCookies(reply, made.headers, config.sessionMaxSeconds);
        return { ...made.response };
      },
    );

    app.post(
      '/v1/me/passkeys',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Add the passkey that the browser made',
          body: passkeyCreateSchema.strict(),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { name, response } = request.body;
        const added = await api
          .verifyPasskeyRegistration({ headers: headersOf(request), body: { name, response }, returnHeaders: true })
          .catch((error: unknown) => {
            request.log.info({ err: error }, 'a passkey was not taken');
            const problem = asProblem(error);
            throw problem instanceof ProblemError ? problem : fieldProblem('response', 'is not what was asked for');
          });
        passCookies(reply, added.headers, config.sessionMaxSeconds);
        await record(request, 'account.passkey_added');
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/v1/me/passkeys/:id/remove',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Remove one of one’s passkeys',
          params: z.object({ id: z.string().min(1).max(64) }),
          body: nothing,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await api.deletePasskey({ headers: headersOf(request), body: { id: request.params.id } }).catch(() => {
          throw new ProblemError('not_found', 'You have no passkey of this id.');
        });
        await record(request, 'account.passkey_removed');
        return reply.status(204).send(null);
      },
    );
  };
}
