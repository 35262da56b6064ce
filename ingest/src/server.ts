import { randomUUID } from 'node:crypto';
import { maxHeaderSize } from 'node:http';
import { fastifySwagger } from '@fastify/swagger';
import { fastifySwaggerUi } from '@fastify/swagger-ui';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { usageEventInputSchema } from '../contract/index.ts';
import { type Answer, answerOf, refusalOf } from './answers.ts';
import { responsesOf } from './documented-answers.ts';
import { canonicalAddress } from './normalise/canonical/address.ts';
import { authenticate } from './auth/authenticate.ts';
import type { CollectorCredential, CredentialView } from './auth/credentials.ts';
import type { ByteBudget } from './body/budget.ts';
import { decodedBytesOfProtobuf, parsedBytesOfJson } from './body/decoded-size.ts';
import { type BodyLimits, readBody } from './body/read.ts';
import type { CollectorTallies } from './collector-tally.ts';
import { FORMATS } from './formats/index.ts';
import type { HttpFormat } from './formats/format.ts';
import { isProtobuf } from './formats/otlp/request.ts';
import type { Metrics } from './metrics.ts';
import { withoutSecrets } from './normalise/normalise.ts';
import { ApiProblem } from './problem.ts';
import type { Publisher } from './publish/publisher.ts';
import { createRefusalLog } from './refusal-log.ts';
import { take } from './take.ts';

export interface ServerOptions {
  limits: BodyLimits;
  budget: ByteBudget;
  trustedProxies: string[];
  credentials: CredentialView;
  publisher: Publisher;
  tallies: Pick<CollectorTallies, 'add'>;
  metrics: Metrics;
  log: Logger;
  /** Why no events can be taken now, or null. */
  notReadyReason(): string | null;
  now(): number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The format of the route, null on others. */
    format: HttpFormat | null;
    collector: CollectorCredential | null;
  }
}

/** Longest a sender may take for a whole request; bounds how long a refused body is read and thrown away. */
const REQUEST_TIMEOUT_MS = 120_000;

const mediaTypeOf = (request: FastifyRequest) =>
  (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();

/** Builds the HTTP server with all routes; it does not listen yet. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    // The forwarded address is believed only from the proxies that were named.
    trustProxy: options.trustedProxies.length > 0 ? options.trustedProxies : false,
    // A start takes as long as it takes: on a full machine ten seconds of the library's own would end it.
    pluginTimeout: 0,
    requestTimeout: REQUEST_TIMEOUT_MS,
    bodyLimit: Number.MAX_SAFE_INTEGER,
    // An address that was configured with a slash at its end becomes http://host//v1/logs in several exporters.
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    forceCloseConnections: 'idle',
    clientErrorHandler(error, socket) {
      // Not HTTP, headers beyond Node's limit, or nothing for too long; there is no request to answer in its own form.
      if (!socket.writable) return;
      const [statusLine, problem] = connectionRefusal(error.code);
      const { body } = refusalOf(problem, randomUUID(), null, '');
      socket.end(
        `HTTP/1.1 ${statusLine}\r\nconnection: close\r\n` +
          `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body.toString()}`,
      );
    },
  });
  app.decorateRequest('format', null);
  app.decorateRequest('collector', null);
  // Bodies are read by readBody, after the sender is known and within limits that hold for the unpacked size.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));

  await registerDocs(app);
  registerHealth(app, options);
  for (const format of FORMATS) registerFormat(app, format, options);

  const logRefusal = createRefusalLog(options.log, options.now);
  const refuseWith = (error: unknown, request: FastifyRequest) => refuse(error, request, options, logRefusal);
  app.setErrorHandler((error, request, reply) => send(reply, refuseWith(error, request)));
  app.setNotFoundHandler((request, reply) => send(reply, refuseWith(notFound(request), request)));
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  return app;
}

/** Status line and problem for what went wrong before there was a request, by Node's error code. */
function connectionRefusal(code: string | undefined): [string, ApiProblem] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const detail = `The request was not complete after ${REQUEST_TIMEOUT_MS / 1000} s.`;
    return ['408 Request Timeout', new ApiProblem('request_timeout', detail)];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = `The headers have more than ${maxHeaderSize} bytes.`;
    return ['431 Request Header Fields Too Large', new ApiProblem('headers_too_large', detail)];
  }
  return ['400 Bad Request', new ApiProblem('bad_request', 'This is not valid HTTP/1.1.')];
}

function registerFormat(app: FastifyInstance, format: HttpFormat, options: ServerOptions): void {
  app.route({
    method: 'POST',
    url: format.path,
    schema: {
      summary: format.summary,
      description: format.description,
      tags: [format.answer.startsWith('otlp') ? 'otlp' : 'events'],
      consumes: [...format.mediaTypes],
      security: [{ bearer: [] }, { apiKey: [] }],
      ...(format.name === 'events' ? { body: usageEventInputSchema } : {}),
      response: responsesOf(format),
    },
    onRequest: (request, reply, done) => {
      request.format = format;
      // Also when the sender goes away before the answer.
      reply.raw.once('close', options.metrics.requestSeconds.startTimer({ format: format.name }));
      const notReady = options.notReadyReason();
      if (notReady !== null) {
        throw new ApiProblem('unavailable', notReady, { headers: { 'retry-after': '1' } });
      }
      request.collector = authenticate(
        options.credentials,
        request.headers,
        canonicalAddress(request.ip),
        options.now(),
      );
      done();
    },
    handler: async (request, reply) => send(reply, await handle(format, request, options)),
  });
}

async function handle(format: HttpFormat, request: FastifyRequest, options: ServerOptions): Promise<Answer> {
  const collector = request.collector!.id;
  const mediaType = mediaTypeOf(request);
  if (!takes(format, request, mediaType)) throw contentTypeNotTaken(format);
  const body = await readBody(request.raw, options.limits, options.budget);
  try {
    body.takeMore(isProtobuf(mediaType) ? decodedBytesOfProtobuf(body.bytes) : parsedBytesOfJson(body.bytes));
    const receivedAt = options.now();
    const context = { mediaType, headers: request.headers, clientAddress: canonicalAddress(request.ip), receivedAt };
    const received = await take(format, body.bytes, context, collector, options);
    return answerOf(format, received, mediaType);
  } finally {
    body.release();
  }
}

function contentTypeNotTaken(format: HttpFormat): ApiProblem {
  return new ApiProblem('unsupported_media_type', `Content-Type must be one of ${format.mediaTypes.join(', ')}.`);
}

/** The payload of a binary CloudEvent may be of any type, its content type describes only that. */
function takes(format: HttpFormat, request: FastifyRequest, mediaType: string): boolean {
  return (
    format.mediaTypes.includes(mediaType) ||
    (format.mediaTypes.includes('application/cloudevents+json') && request.headers['ce-specversion'] !== undefined)
  );
}

function registerHealth(app: FastifyInstance, options: ServerOptions): void {
  const hidden = { schema: { hide: true } };
  app.get('/healthz', hidden, (_request, reply) => reply.send({ status: 'ok' }));
  app.get('/readyz', hidden, (_request, reply) => {
    const reason = options.notReadyReason();
    return reply.code(reason === null ? 200 : 503).send({ ready: reason === null, reason });
  });
  app.get('/metrics', hidden, async (_request, reply) => {
    reply.header('content-type', options.metrics.registry.contentType);
    return reply.send(await options.metrics.registry.metrics());
  });
}

async function registerDocs(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lanewatch ingest',
        description:
          'Takes usage events of API keys from agents and proxies. OTLP bodies are those of the OTLP/HTTP specification.',
        version: '1',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(fastifySwaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
}

const METHODS_BY_PATH = new Map<string, string>([
  ...FORMATS.map(({ path }): [string, string] => [path, 'POST']),
  ...['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'].map((path): [string, string] => [path, 'GET, HEAD']),
]);

function notFound(request: FastifyRequest): ApiProblem {
  const path = request.url
    .split('?', 1)[0]!
    .replace(/\/+/g, '/')
    .replace(/(?<=.)\/$/, '');
  const allow = METHODS_BY_PATH.get(path);
  if (allow !== undefined) {
    request.format = FORMATS.find((format) => format.path === path) ?? null;
    return new ApiProblem('method_not_allowed', `Use ${allow} here.`, { headers: { allow } });
  }
  const routes = FORMATS.map((format) => format.path).join(', ');
  return new ApiProblem('not_found', `Events are posted to ${routes}. The routes are described at /docs.`);
}

function refuse(
  error: unknown,
  request: FastifyRequest,
  options: ServerOptions,
  logRefusal: ReturnType<typeof createRefusalLog>,
): Answer {
  const problem = problemOf(error, request.format);
  options.metrics.refusals.inc({ code: problem.code });
  if (problem.code === 'internal') {
    const facts = { code: problem.code, request_id: request.id, collector: request.collector?.id };
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    options.log.error({ ...facts, error: withoutSecrets(cause.slice(0, 4_000)) }, 'a request failed');
  } else {
    logRefusal(problem, request.id, request.ip);
  }
  return refusalOf(problem, request.id, request.format, mediaTypeOf(request));
}

function problemOf(error: unknown, format: HttpFormat | null): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' && format !== null) return contentTypeNotTaken(format);
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new ApiProblem('bad_request', 'The request is not valid.', { cause: error });
  }
  return new ApiProblem('internal', 'Ingest failed; the fault was logged under this request id. Send again.', {
    cause: error,
  });
}

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}
