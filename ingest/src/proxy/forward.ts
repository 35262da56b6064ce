import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type Agent, type Dispatcher, errors } from 'undici';
import { createMeter, NOTHING_METERED, type Metered, type Meter } from './meter.ts';
import { refusalIn } from './refusal.ts';
import type { ProxyProvider } from './providers.ts';
import { FACT_HEADERS } from './report.ts';

/** How an answer ended. */
export interface Forwarded {
  /** As the client got it; 0 when the client went away before there was one. */
  status: number;
  headers: IncomingHttpHeaders;
  metered: Metered;
  /** The provider was not reached, or its answer was cut off by it. */
  broken: boolean;
}

/** They are about one connection, and each of the two has its own. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Node answers `100 Continue` itself. */
const NOT_PASSED_ON = new Set(['host', 'expect', ...Object.values(FACT_HEADERS)]);

/**
 * Passes a request on and its answer back, piece by piece as they come, each side as fast as the other takes it. A client that goes away ends the
 * request at the provider, too.
 * @param target path and query behind the provider's base URL
 * @returns once the answer is through; never rejects
 */
export function forward(
  agent: Agent,
  provider: ProxyProvider,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Forwarded> {
  return new Promise((resolve) => {
    const outcome: Forwarded = {
      status: 0,
      headers: {},
      metered: NOTHING_METERED,
      broken: false,
    };
    let meter: Meter | null = null;
    let controller: Dispatcher.DispatchController | null = null;
    let clientIsGone = false;
    let ended = false;

    const end = () => {
      if (ended) return;
      ended = true;
      const settle = (metered: Metered) => resolve({ ...outcome, metered });
      if (meter === null) settle(outcome.metered);
      else void meter.finish().then(settle, () => settle(outcome.metered));
    };
    response.once('close', () => {
      if (response.writableFinished) return;
      clientIsGone = true;
      controller?.abort(new errors.RequestAbortedError());
      end();
    });
    response.on('drain', () => controller?.resume());

    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    agent.dispatch(
      {
        origin: provider.origin,
        path: provider.pathPrefix + target,
        method: request.method as Dispatcher.HttpMethod,
        headers: requestHeaders(request.rawHeaders, request.headers),
        body: hasBody ? request : null,
        // A model may think for an hour; how long to wait is the client's to say.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (clientIsGone) started.abort(new errors.RequestAbortedError());
        },
        onResponseStart(_controller, status, headers, statusMessage) {
          if (status < 200) return;
          outcome.status = status;
          outcome.headers = headers;
          meter = createMeter(String(headers['content-type'] ?? ''), String(headers['content-encoding'] ?? ''));
          response.writeHead(status, statusMessage, answerHeaders(headers));
          // What comes first may be minutes away; the client learns now that it was heard.
          response.flushHeaders();
        },
        onResponseData(paused, chunk) {
          meter?.take(chunk);
          if (!response.write(chunk)) paused.pause();
        },
        onResponseEnd() {
          response.end();
          end();
        },
        onResponseError(_controller, error) {
          if (!clientIsGone) {
            outcome.broken = true;
            outcome.status = failAnswer(response, provider, error) ?? outcome.status;
          }
          end();
        },
      },
    );
  });
}

/** Answers that the provider was not reached; where an answer has begun, only cutting it tells the client. */
export function failAnswer(response: ServerResponse, provider: ProxyProvider, error: Error): number | null {
  if (response.headersSent) {
    response.destroy();
    return null;
  }
  const code = (error as { code?: string }).code ?? error.name;
  const { status, body } = refusalIn(
    provider.errorForm,
    502,
    `${provider.name} was not reached (${code}). The request was not answered; send it again.`,
    'lanewatch_upstream_unreachable',
  );
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  return status;
}

/** As they came, in their order and spelling, without what is about this connection or for the proxy. */
export function requestHeaders(raw: readonly string[], headers: IncomingHttpHeaders): string[] {
  const named = namedByConnection(headers.connection);
  const passed: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase();
    if (HOP_BY_HOP.has(name) || NOT_PASSED_ON.has(name) || named.has(name)) continue;
    passed.push(raw[at]!, raw[at + 1]!);
  }
  return passed;
}

export function answerHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = namedByConnection(headers.connection);
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name) && !named.has(name)) passed[name] = value;
  }
  return passed;
}

const namedByConnection = (connection: string | undefined) =>
  new Set(
    (connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
