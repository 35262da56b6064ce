import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  meSchema,
  ownPasswordSchema,
  passwordChangeSchema,
  profileChangeSchema,
  recoveryCodesSchema,
  setupSchema,
  totpCodeSchema,
  totpStartedSchema,
} from '../../contract/index.ts';
import type { FieldChange } from '../../contract/index.ts';
import { authHeadersOf } from '../accounts/accounts.ts';
import { recordAccountEvent } from '../accounts/audit.ts';
import type { AccountAction } from '../accounts/audit.ts';
import { hasPassword, meOf } from '../accounts/me.ts';
import { asProblem } from '../http/auth-problem.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import { actorOf, passCookies, principalOf, requireStepUp, sessionIn } from '../http/session-auth.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../services/services.ts';
import { markStepUp } from './sign-in.ts';

const own = { can: 'own_account', sessionOnly: true } as const;

/** The signed-in person's own account. */
export function meRoutes(services: Services): FastifyPluginAsyncZod {
  const { accounts, attempts, config, database, now } = services;
  const { auth } = accounts;
  const { db } = database;

  const headersOf = (request: FastifyRequest): Headers => authHeadersOf(request, config.dashboardUrl);
  const record = (request: FastifyRequest, action: AccountAction, changes: FieldChange[] = []): Promise<void> =>
    recordAccountEvent(db, { actor: actorOf(request), action, changes, nowMs: now() });

  /** Calls the library for who asks; attempts that fail are counted. */
  function prove<Value>(request: FastifyRequest, call: () => Promise<Value>): Promise<Value> {
    return attempts.prove(principalOf(request).person.id, () =>
      call().catch((error: unknown) => {
        throw asProblem(error);
      }),
    );
  }

  /** The library begins sessions anew where the second factor changes; the proof goes along. */
  async function passOn(reply: FastifyReply, headers: Headers, proves: boolean): Promise<void> {
    const begun = sessionIn(headers);
    if (proves && begun !== '') {
      const principal = await accounts.session(begun, { isUse: false });
      if (principal?.session) await markStepUp(services, principal.session.id);
    }
    passCookies(reply, headers, config.sessionMaxSeconds);
  }

  return async (app) => {
    app.get(
      '/v1/me',
      {
        config: { can: 'own_account' },
        schema: { tags: ['account'], summary: 'Who is signed in', response: { 200: meSchema } },
      },
      (request) => meOf(db, config, principalOf(request), now()),
    );

    app.patch(
      '/v1/me',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Change one’s name',
          body: profileChangeSchema.strict(),
          response: { 200: meSchema },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        await auth.api.updateUser({ headers: headersOf(request), body: request.body });
        const change = { field: 'name', before: principal.person.name, after: request.body.name };
        if (change.before !== change.after) await record(request, 'account.renamed', [change]);
        return meOf(db, config, { ...principal, person: { ...principal.person, ...request.body } }, now());
      },
    );

    app.post(
      '/v1/me/setup',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'The first admin tells name, e-mail and password, once',
          body: setupSchema.strict(),
          response: { 200: meSchema },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const { id, setupPending } = principal.person;
        if (!setupPending) throw new ProblemError('conflict', 'This account is set up already.');
        const { name, email, password } = request.body;
        const taken = await db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst();
        if (taken !== undefined) throw fieldProblem('email', 'is taken');
        await auth.api.setPassword({ headers: headersOf(request), body: { newPassword: password } }).catch((error) => {
          throw asProblem(error);
        });
        await db
          .updateTable('users')
          .set({ name, email, setup_pending: false, updated_at: new Date(now()) })
          .where('id', '=', id)
          .execute();
        await recordAccountEvent(db, { actor: email, action: 'account.set_up', nowMs: now() });
        const person = { ...principal.person, name, email, setupPending: false };
        return meOf(db, config, { ...principal, person }, now());
      },
    );

    app.post(
      '/v1/me/password',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Change the password; every other session of the person ends',
          body: passwordChangeSchema.strict(),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { current_password: currentPassword, new_password: newPassword } = request.body;
        const headers = headersOf(request);
        if (await hasPassword(db, principalOf(request).person.id)) {
          const body = { currentPassword, newPassword, revokeOtherSessions: true };
          const changed = await prove(request, () =>
            auth.api.changePassword({ headers, body, returnHeaders: true }),
          ).catch((error: unknown) => {
            throw error instanceof ProblemError && error.detail.startsWith('password is not right')
              ? fieldProblem('current_password', 'is not right')
              : error;
          });
          await passOn(reply, changed.headers, false);
        } else {
          await prove(request, () => auth.api.setPassword({ headers, body: { newPassword } }));
          await auth.api.revokeOtherSessions({ headers });
        }
        await record(request, 'account.password_changed');
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/v1/me/totp',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Begin to add an authenticator: its URI and recovery codes, shown once',
          description: 'It holds from the first code on that POST /v1/me/totp/confirm takes.',
          body: ownPasswordSchema.strict(),
          response: { 200: totpStartedSchema },
        },
      },
      async (request) => {
        const headers = headersOf(request);
        const { password } = request.body;
        const begun = await prove(request, () =>
          auth.api.enableTwoFactor({
            headers,
            body: { method: 'totp', ...(password === undefined ? {} : { password }) },
          }),
        );
        if (begun.method !== 'totp') throw new Error('the library began another method than TOTP');
        return { uri: begun.totpURI, recovery_codes: begun.backupCodes };
      },
    );

    for (const [path, summary, action] of [
      ['/v1/me/totp/confirm', 'Add the authenticator by its first code', 'account.totp_added'],
      ['/v1/me/step-up', 'Prove a TOTP code, for what needs one not older than 15 minutes', null],
    ] as const) {
      app.post(
        path,
        {
          config: own,
          schema: { tags: ['account'], summary, body: totpCodeSchema.strict(), response: { 200: meSchema } },
        },
        async (request, reply) => {
          const principal = principalOf(request);
          const headers = headersOf(request);
          const { code } = request.body;
          const proved = await prove(request, () =>
            auth.api.verifyTOTP({ headers, body: { code }, returnHeaders: true }),
          );
          if (principal.session !== null) await markStepUp(services, principal.session.id);
          await passOn(reply, proved.headers, true);
          if (action !== null) await record(request, action);
          const session = principal.session && { ...principal.session, totpProvedMs: now() };
          const person = { ...principal.person, twoFactorEnabled: true };
          return meOf(db, config, { ...principal, person, session }, now());
        },
      );
    }

    app.post(
      '/v1/me/totp/remove',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'Remove the authenticator and its recovery codes',
          body: ownPasswordSchema.strict(),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await requireProof(request);
        const headers = headersOf(request);
        const removed = await prove(request, () =>
          auth.api.disableTwoFactor({ headers, body: request.body as { password?: string }, returnHeaders: true }),
        );
        await passOn(reply, removed.headers, false);
        await record(request, 'account.totp_removed');
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/v1/me/recovery-codes',
      {
        config: own,
        schema: {
          tags: ['account'],
          summary: 'New recovery codes; those before stop working',
          body: ownPasswordSchema.strict(),
          response: { 200: recoveryCodesSchema },
        },
      },
      async (request) => {
        await requireProof(request);
        const headers = headersOf(request);
        const made = await prove(request, () =>
          auth.api.generateBackupCodes({ headers, body: request.body as { password?: string } }),
        );
        await record(request, 'account.recovery_codes_renewed');
        return { recovery_codes: made.backupCodes };
      },
    );
  };

  /** The library asks for the password; who has none proves a code instead. */
  async function requireProof(request: FastifyRequest): Promise<void> {
    if (await hasPassword(db, principalOf(request).person.id)) return;
    requireStepUp(request, now());
  }
}
