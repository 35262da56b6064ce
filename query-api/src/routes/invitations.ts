import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  invitationAcceptSchema,
  invitationLookSchema,
  invitationTokenSchema,
  signInStepSchema,
} from '../../contract/index.ts';
import type { Person, SignInStep } from '../../contract/index.ts';
import { authHeadersOf } from '../accounts/accounts.ts';
import { recordAccountEvent } from '../accounts/audit.ts';
import { personById } from '../accounts/people.ts';
import { asProblem } from '../http/auth-problem.ts';
import { ProblemError } from '../http/problem.ts';
import { passCookies, sessionIn } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';
import { signedIn } from './sign-in.ts';

/** Taking up an invitation, or the link of who forgot a password: the same to the library, which keeps its token by hash. */
export function invitationRoutes(services: Services): FastifyPluginAsyncZod {
  const { accounts, attempts, config, database, now } = services;
  const { db } = database;

  async function personOf(token: string, ip: string): Promise<Person> {
    const { internalAdapter } = await accounts.auth.$context;
    const held = await internalAdapter.findVerificationValue(`reset-password:${token}`);
    if (held && held.expiresAt.getTime() > now()) return personById(db, held.value);
    await attempts.miss(ip);
    throw new ProblemError(
      'link_invalid',
      'It was used before, is older than three days, or is none. Ask an admin for another.',
    );
  }

  return async (app) => {
    app.post(
      '/v1/invitations/look',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'Whom an invitation is for; it stays unused',
          body: invitationTokenSchema.strict(),
          response: { 200: invitationLookSchema },
        },
      },
      async (request) => {
        const { email, name, role } = await personOf(request.body.token, request.ip);
        return { email, name: name === email ? '' : name, role };
      },
    );

    app.post(
      '/v1/invitations/accept',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'Set name and password by an invitation, and sign in',
          body: invitationAcceptSchema.strict(),
          response: { 200: signInStepSchema },
        },
      },
      async (request, reply): Promise<SignInStep> => {
        const { token, name, password } = request.body;
        const person = await personOf(token, request.ip);
        const headers = authHeadersOf(request, config.dashboardUrl);
        const fail = (error: unknown): never => {
          throw asProblem(error);
        };
        await accounts.auth.api.resetPassword({ body: { newPassword: password, token } }).catch(fail);
        await db
          .updateTable('users')
          .set({ name, updated_at: new Date(now()) })
          .where('id', '=', person.id)
          .execute();
        await recordAccountEvent(db, { actor: person.email, action: 'person.joined', nowMs: now() });
        const body = { email: person.email, password };
        const begun = await accounts.auth.api.signInEmail({ headers, body, returnHeaders: true }).catch(fail);
        if (sessionIn(begun.headers) === '') {
          passCookies(reply, begun.headers, config.sessionMaxSeconds);
          return { status: 'second_factor_needed' };
        }
        return { status: 'signed_in', me: await signedIn(services, reply, begun.headers, 'invitation') };
      },
    );
  };
}
