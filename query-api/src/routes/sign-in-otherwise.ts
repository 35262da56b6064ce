import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  meSchema,
  oidcCallbackSchema,
  oidcStartedSchema,
  passkeySignInSchema,
  webauthnSchema,
} from '../../contract/index.ts';
import { authHeadersOf } from '../accounts/accounts.ts';
import { OIDC_PROVIDER } from '../accounts/auth.ts';
import { signInRefused } from '../http/auth-problem.ts';
import { ProblemError } from '../http/problem.ts';
import { passCookies, sessionIn } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';
import { signedIn } from './sign-in.ts';

const nothing = z.object({}).strict().nullish();
/** What the library says of people whom the provider knows and this installation does not. */
const NOT_INVITED = /sign.?up|not.linked/i;

/** Signing in by a passkey, or by an OpenID provider. Both bring their own second factor, so no other is asked for. */
export function otherSignInRoutes(services: Services): FastifyPluginAsyncZod {
  const { accounts, attempts, config } = services;
  const { api } = accounts.auth;

  return async (app) => {
    app.post(
      '/v1/sign-in/passkey/options',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'What the browser needs to ask for a passkey',
          body: nothing,
          response: { 200: webauthnSchema },
        },
      },
      async (request, reply) => {
        const headers = authHeadersOf(request, config.dashboardUrl);
        const made = await api.generatePasskeyAuthenticationOptions({ headers, returnHeaders: true });
        passCookies(reply, made.headers, config.sessionMaxSeconds);
        return { ...made.response };
      },
    );

    app.post(
      '/v1/sign-in/passkey',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'Sign in by what the browser’s passkey signed',
          body: passkeySignInSchema.strict(),
          response: { 200: meSchema },
        },
      },
      async (request, reply) => {
        const headers = authHeadersOf(request, config.dashboardUrl);
        // The library checks its shape.
        const body = { response: request.body.response as never };
        const begun = await api
          .verifyPasskeyAuthentication({ headers, body, returnHeaders: true })
          .catch(async (error: unknown) => {
            request.log.info({ err: error }, 'a passkey was refused');
            await attempts.miss(request.ip);
            throw new ProblemError('sign_in_refused', 'This passkey can’t be used here.');
          });
        return signedIn(services, reply, begun.headers, 'passkey');
      },
    );

    app.post(
      '/v1/sign-in/oidc',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'Where to send the browser for the OpenID provider',
          body: nothing,
          response: { 200: oidcStartedSchema },
        },
      },
      async (request, reply) => {
        if (config.oidc === null) throw new ProblemError('not_found', 'No OpenID provider is configured.');
        const headers = authHeadersOf(request, config.dashboardUrl);
        const body = {
          provider: OIDC_PROVIDER,
          callbackURL: config.dashboardUrl,
          errorCallbackURL: config.dashboardUrl,
          disableRedirect: true,
        };
        const begun = await api.signInSocial({ headers, body, returnHeaders: true }).catch((error: unknown) => {
          request.log.warn({ err: error }, 'the OpenID provider can’t be used');
          throw new ProblemError('unavailable', 'The OpenID provider does not answer. Try again in a moment.');
        });
        passCookies(reply, begun.headers, config.sessionMaxSeconds);
        return { url: begun.response.url ?? '' };
      },
    );

    app.post(
      '/v1/sign-in/oidc/callback',
      {
        config: { open: true },
        schema: {
          tags: ['sign-in'],
          summary: 'Sign in by what the OpenID provider sent the browser back with',
          body: oidcCallbackSchema.strict(),
          response: { 200: meSchema },
        },
      },
      async (request, reply) => {
        if (config.oidc === null) throw new ProblemError('not_found', 'No OpenID provider is configured.');
        const headers = authHeadersOf(request, config.dashboardUrl);
        const answer = await api.callbackOAuth({
          ...{ method: 'GET', params: { id: OIDC_PROVIDER }, query: request.body, headers },
          asResponse: true,
        });
        if (sessionIn(answer.headers) !== '') return signedIn(services, reply, answer.headers, 'OpenID');
        passCookies(reply, answer.headers, config.sessionMaxSeconds);
        const reason =
          new URL(answer.headers.get('location') ?? '', config.dashboardUrl).searchParams.get('error') ?? '';
        request.log.info({ reason }, 'a sign-in by OpenID was refused');
        if (!NOT_INVITED.test(reason)) throw signInRefused();
        throw new ProblemError('sign_in_refused', 'The provider knows you, and nobody invited you here. Ask an admin.');
      },
    );
  };
}
