import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ClickHouseError } from '@clickhouse/client';
import { BusUnavailableError } from '@lanewatch/ingest/contract';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import { ReadTooLargeError, StoreUnavailableError } from '../clickhouse.ts';
import { CursorError } from './cursor.ts';
import { RegistryUnavailableError } from '../registry/unavailable.ts';
import { PROBLEMS, ProblemError, problemBody } from './problem.ts';
import type { FieldError, ProblemCode } from './problem.ts';

interface Answer {
  code: ProblemCode;
  detail: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
}

/** What fastify refuses by itself, by its own error codes. Its texts are not used: some repeat what was sent. */
const FASTIFY_PROBLEMS: Record<string, Answer> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body_too_large', detail: 'The body is larger than 256 KiB.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'unsupported_media_type', detail: 'Send the body as application/json.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'malformed_body',
    detail: 'The body is not as long as Content-Length says.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'malformed_body', detail: 'The body is not valid JSON.' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'malformed_body', detail: 'The body is empty; send a JSON object, such as {}.' },
  FST_ERR_BAD_URL: { code: 'validation', detail: 'The URL can’t be decoded.' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'not_found', detail: 'A part of the path is too long to name anything.' },
};

/** Postgres: character not in repertoire. Texts come as valid Unicode, so only a NUL can be meant. */
const NUL_IN_TEXT = '22021';

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** The store that did not answer, by the name that people have for it; null when the error is another one. */
function missingStoreOf(error: unknown): string | null {
  if (error instanceof StoreUnavailableError) return 'The ledger (ClickHouse)';
  if (error instanceof RegistryUnavailableError) return 'The registry (Postgres)';
  return error instanceof BusUnavailableError ? 'The bus' : null;
}

function answerFor(error: unknown): Answer {
  if (error instanceof ProblemError) return error;
  if (error instanceof CursorError) {
    return {
      code: 'validation',
      detail: `cursor ${error.message}`,
      errors: [{ path: 'cursor', message: error.message }],
    };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message }) => ({
      path: instancePath.slice(1).replaceAll('/', '.'),
      message: message ?? 'can’t be used',
    }));
    // What is wrong with the body or query as a whole, such as a field that does not exist, has no path.
    const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
    return { code: 'validation', detail, errors };
  }
  if (codeOf(error) === NUL_IN_TEXT) return { code: 'validation', detail: 'A text holds a NUL character.' };
  const known = FASTIFY_PROBLEMS[codeOf(error)];
  if (known !== undefined) return known;
  const missing = missingStoreOf(error);
  if (missing !== null) {
    return {
      code: 'unavailable',
      detail: `${missing} does not respond. Try again in a moment.`,
      headers: { 'retry-after': '2' },
    };
  }
  if (error instanceof ReadTooLargeError) {
    const detail = 'This takes more time or memory than one read may. Choose a shorter window or more filters.';
    return { code: 'read_too_large', detail };
  }
  const { statusCode } = error as FastifyError;
  // A body that is broken in a way fastify has no code for, such as a forbidden __proto__ key.
  if (statusCode === 400) return { code: 'malformed_body', detail: 'The body is not valid JSON.' };
  return {
    code: 'internal',
    detail: 'The request was understood but something failed here. The log has the request id.',
  };
}

/** Sends a problem. */
function sendProblem(reply: FastifyReply, answer: Answer): FastifyReply {
  const { code, detail, errors = [], headers = {} } = answer;
  return reply
    .status(PROBLEMS[code].status)
    .headers(headers)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problemBody(code, detail, errors, reply.request.id));
}

/** The error and its causes, without texts of the engine, which can repeat values of the query. */
function messagesOf(error: unknown): string[] {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error && messages.length < 5; cause = cause.cause) {
    messages.push(cause instanceof ClickHouseError ? `ClickHouse ${cause.code} ${cause.type ?? ''}` : cause.message);
  }
  return messages;
}

function logFault(request: FastifyRequest, error: unknown): void {
  // The engine's text can repeat values of the query; its code and the stack say where to look.
  const safe =
    error instanceof ClickHouseError
      ? { code: error.code, type: error.type, stack: error.stack?.split('\n').slice(1).join('\n') }
      : isResponseSerializationError(error) && error instanceof Error && 'cause' in error
        ? { message: error.message, issues: issuePathsOf(error.cause) }
        : { err: error };
  request.log.error(safe, 'request failed');
}

function issuePathsOf(cause: unknown): string[] {
  const issues = (cause as { issues?: { path: PropertyKey[]; message: string }[] } | undefined)?.issues ?? [];
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** What fastify refuses before a route is found: a URL that can't be decoded. */
export function answerFrameworkError(error: FastifyError, _request: unknown, reply: FastifyReply): void {
  void sendProblem(reply, answerFor(error));
}

const CLIENT_PROBLEMS: Record<string, readonly [ProblemCode, string]> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'URL and headers may have 16 KiB together.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
};

/** What Node refuses before there is a request: broken HTTP, one that never ends, or a URL and headers beyond 16 KiB. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [code, detail] = CLIENT_PROBLEMS[error.code ?? ''] ?? (['malformed_request', 'This is not HTTP.'] as const);
  const body = JSON.stringify(problemBody(code, detail, [], randomUUID()));
  socket.end(
    `HTTP/1.1 ${PROBLEMS[code].status} ${STATUS_CODES[PROBLEMS[code].status]}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Every error becomes application/problem+json; unknown routes are 404, known ones with another method 405. */
export function installErrorHandling(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => void (isClosing = true));
  app.addHook('onRequest', async () => {
    if (!isClosing) return;
    throw new ProblemError('unavailable', 'This query-api is stopping. Try again in a moment.', [], {
      'retry-after': '2',
    });
  });
  const methodsByUrl = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByUrl.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByUrl.set(url, methods);
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = answerFor(error);
    if (answer.code === 'internal') logFault(request, error);
    else if (answer.code === 'unavailable') request.log.warn({ reasons: messagesOf(error) }, 'store unavailable');
    else if (answer.code === 'read_too_large') request.log.warn({ reasons: messagesOf(error) }, 'read too large');
    return sendProblem(reply, answer);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = [...methodsByUrl].flatMap(([url, methods]) => (patternOf(url).test(path) ? [...methods] : []));
    if (allowed.length === 0) {
      return sendProblem(reply, {
        code: 'not_found',
        detail: 'There is no such route. See /docs for those that exist.',
      });
    }
    const allow = [...new Set(allowed)].sort().join(', ');
    return sendProblem(reply, {
      code: 'method_not_allowed',
      detail: `This route takes ${allow}.`,
      headers: { allow },
    });
  });
}

function patternOf(url: string): RegExp {
  const source = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replaceAll('.', String.raw`\.`)))
    .join('/');
  return new RegExp(`^${source}$`);
}
