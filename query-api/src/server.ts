import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { TEXT_LIMITS } from '@lanewatch/ingest/contract';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance, RouteOptions } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { SESSION_COOKIE } from '../contract/index.ts';
import { answerClientError, answerFrameworkError, installErrorHandling } from './http/error-handler.ts';
import { installMetrics } from './http/metrics.ts';
import { describeRoute, DOCUMENTED_SCHEMAS, refuseUnsaidQueries } from './http/openapi.ts';
import { installAccountActs } from './http/one-act.ts';
import { PROBLEMS } from './http/problem.ts';
import { installSecurity } from './http/security.ts';
import { installSessionAuth } from './http/session-auth.ts';
import { caseRoutes } from './routes/cases.ts';
import { auditRoutes } from './routes/audit.ts';
import { changeRoutes } from './routes/changes.ts';
import { channelRoutes } from './routes/channels.ts';
import { collectorRoutes } from './routes/collectors.ts';
import { controlRoutes } from './routes/control.ts';
import { credentialGroupRoutes } from './routes/credential-groups.ts';
import { credentialSecretRoutes } from './routes/credential-secrets.ts';
import { importRoutes } from './routes/imports.ts';
import { credentialRoutes } from './routes/credentials.ts';
import { evidenceRoutes } from './routes/evidence.ts';
import { exportRoutes } from './routes/exports.ts';
import { findingRoutes } from './routes/findings.ts';
import { entityRoutes } from './routes/entities.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { jobRoutes } from './routes/jobs.ts';
import { meRoutes } from './routes/me.ts';
import { ownSessionRoutes } from './routes/own-sessions.ts';
import { passkeyRoutes } from './routes/passkeys.ts';
import { collectionRoutes } from './routes/collections.ts';
import { policyRoutes } from './routes/policies.ts';
import { peopleRoutes } from './routes/people.ts';
import { ruleRoutes } from './routes/rules.ts';
import { readRoutes } from './routes/reads.ts';
import { otherSignInRoutes } from './routes/sign-in-otherwise.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { spendRoutes } from './routes/spend.ts';
import { sqlRoutes } from './routes/sql.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { usageRoutes } from './routes/usage.ts';
import { verifyRoutes } from './routes/verify.ts';
import type { Services } from './services/services.ts';

const BODY_BYTES_MAX = 256 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * The HTTP server, ready to listen.
 * @param onRoute told of every route that is registered
 */
export async function createServer(
  services: Services,
  logger: Logger,
  onRoute: (route: RouteOptions) => void = () => undefined,
): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    // Paths and queries can hold what a person typed, such as a key in a search box; the route says enough.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: BODY_BYTES_MAX,
    // A start takes as long as it takes: on a full machine ten seconds of the library's own would end it.
    pluginTimeout: 0,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // As the longest name that an event may have, a repository, with a sign for its escape.
    routerOptions: { maxParamLength: TEXT_LIMITS.repo + 1 },
    // Connections that only wait for a next request are closed at once, so that SIGTERM ends in time.
    forceCloseConnections: 'idle',
    // Its own answer would be no problem+json; ours comes from the error handling.
    return503OnClosing: false,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    trustProxy: services.config.trustedProxies,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  app.addHook('onRoute', onRoute);
  app.addHook('onRoute', refuseUnsaidQueries);
  installAccountActs(app);
  installErrorHandling(app);
  installSecurity(app, services.config.dashboardUrl);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'none' : request.routeOptions.url;
    const answered = { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    // Whoever asks too often must not fill the log either.
    request.log[reply.statusCode === PROBLEMS.too_many_requests.status ? 'debug' : 'info'](answered, 'answered');
  });
  await app.register(cookie, { secret: services.config.authSecret });
  installSessionAuth(app, services.accounts, services.tokens);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lanewatch query-api',
        version: '1.0.0',
        description:
          'Reads over the ledger, and the registry. Everything under /v1 but sign-in needs the session cookie or a personal API token as bearer, and a role that may do it. Errors are application/problem+json.',
      },
      components: {
        schemas: DOCUMENTED_SCHEMAS,
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
          token: { type: 'http', scheme: 'bearer', description: 'A personal API token' },
        },
      },
      security: [{ session: [] }, { token: [] }],
    },
    transform: describeRoute,
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'alive' }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const missing = await services.notReady();
    return reply.status(missing.length === 0 ? 200 : 503).send({ ready: missing.length === 0, missing });
  });
  installMetrics(app, {
    outboxUnsent: () => services.publisher.unsent(),
    changeListeners: () => services.changes.listeners,
    usageLag: () => services.usageLag(),
    verifyEvents: services.verifyEvents,
  });

  await app.register(signInRoutes(services));
  await app.register(otherSignInRoutes(services));
  await app.register(invitationRoutes(services));
  await app.register(meRoutes(services));
  await app.register(ownSessionRoutes(services));
  await app.register(passkeyRoutes(services));
  await app.register(tokenRoutes(services));
  await app.register(peopleRoutes(services));
  await app.register(readRoutes(services));
  await app.register(findingRoutes(services));
  await app.register(channelRoutes(services));
  await app.register(entityRoutes(services));
  await app.register(caseRoutes(services));
  await app.register(collectorRoutes(services));
  await app.register(credentialRoutes(services));
  await app.register(importRoutes(services));
  await app.register(credentialSecretRoutes(services));
  await app.register(credentialGroupRoutes(services));
  await app.register(verifyRoutes(services));
  await app.register(policyRoutes(services));
  await app.register(ruleRoutes(services));
  await app.register(collectionRoutes(services));
  await app.register(jobRoutes(services));
  await app.register(auditRoutes(services));
  await app.register(spendRoutes(services));
  await app.register(usageRoutes(services));
  await app.register(sqlRoutes(services));
  await app.register(exportRoutes(services));
  await app.register(evidenceRoutes(services));
  await app.register(changeRoutes(services));
  if (services.config.controlToken !== null) {
    await app.register(controlRoutes(services, services.config.controlToken));
  }
  return app;
}
