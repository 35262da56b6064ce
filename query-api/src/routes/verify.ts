import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { SESSION_COOKIE, VERIFY_SCOPE, verifiedSchema, verifySchema } from '../../contract/index.ts';
import { principalMay } from '../accounts/principal.ts';
import { ProblemError } from '../http/problem.ts';
import type { Services } from '../services/services.ts';

const BODY_BYTES_MAX = 8 * 1024;
const CHALLENGE = { 'www-authenticate': 'Bearer' };

/** `POST /v1/credentials/verify`: may this key do that? Asked by services, so it takes a bearer as well as a session. */
export function verifyRoutes({ verifier, accounts }: Services): FastifyPluginAsyncZod {
  /** Throws for whoever may not ask. A key that asks must itself be allowed to, from where it asks. */
  async function refuseStrangers(request: FastifyRequest): Promise<void> {
    const { authorization } = request.headers;
    if (authorization === undefined) {
      const principal = await accounts.session(request.cookies[SESSION_COOKIE] ?? '');
      if (principal !== null && principalMay(principal, 'query')) return;
      if (principal !== null) {
        throw new ProblemError('not_allowed', `The role ${principal.role} may not verify keys.`);
      }
      throw new ProblemError(
        'not_signed_in',
        `Send a managed key with scope ${VERIFY_SCOPE.action} on ${VERIFY_SCOPE.resource} as bearer, or sign in.`,
        [],
        CHALLENGE,
      );
    }
    const key = /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
    const caller = verifier.caller(key, request.ip);
    if (caller.ok) return;
    if (!caller.isKnown) {
      throw new ProblemError('not_signed_in', 'The bearer is no managed key that is valid now.', [], CHALLENGE);
    }
    throw new ProblemError(
      'not_allowed',
      `The bearer may not verify keys from here: it needs scope ${VERIFY_SCOPE.action} on ${VERIFY_SCOPE.resource}, and this address among its allowed networks.`,
    );
  }

  return async (app) => {
    app.post(
      '/v1/credentials/verify',
      {
        bodyLimit: BODY_BYTES_MAX,
        config: { open: true },
        schema: {
          tags: ['verify'],
          summary: 'Whether a key may do a thing; each call becomes a usage event',
          description:
            'Answered from memory, whatever the bus or the registry’s database do. The key is hashed at once and neither stored nor logged.',
          security: [{ session: [] }, { token: [] }],
          body: verifySchema.strict(),
          response: { 200: verifiedSchema },
        },
        preValidation: async (request) => {
          await verifier.ready();
          await refuseStrangers(request);
        },
      },
      async ({ body }) => verifier.verify(body),
    );
  };
}
