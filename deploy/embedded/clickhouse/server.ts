import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { sendError } from './answer.ts';
import type { AnswerContext } from './answer.ts';
import { createSpool, unpackBody } from './body.ts';
import type { Config } from './config.ts';
import { openEngine } from './engine.ts';
import { fromEngine, raise } from './errors.ts';
import { execute } from './execute.ts';
import type { ExecuteContext } from './execute.ts';
import { readRequest } from './request.ts';
import { createResultPipes } from './results.ts';
import { createSlots } from './slots.ts';

/** A query that was told to stop does so at its next block; after this the process ends without it. */
const STOP_TIMEOUT_MS = 5_000;

export type EmbeddedServer = {
  url: string;
  /** Takes no more requests, lets running queries finish for a while, stops the rest, closes the engine. True when all went in order. */
  close(): Promise<boolean>;
};

/**
 * Opens the engine and listens. Throws EngineOpenError or the listener's error (EADDRINUSE).
 */
export async function startServer(config: Config): Promise<EmbeddedServer> {
  const engine = await openEngine(config.path, config.database);
  const spool = createSpool(config.bodyBytesMax, config.spoolBytesMax);
  const context: ExecuteContext = {
    config,
    engine,
    spool,
    slots: createSlots(config.concurrentQueries, config.queuedQueries, config.analyst.queriesMax),
    pipes: createResultPipes(spool.directory, config.concurrentQueries),
    running: new Map(),
  };
  // Long queries travel in the URL of an INSERT; a large body may take as long as it takes.
  const server = createServer({ maxHeaderSize: 1024 * 1024, requestTimeout: 0, keepAliveTimeout: 30_000 });
  const answers = new Set<ServerResponse>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answers.add(response);
    response.once('close', () => answers.delete(response));
    void handle(context, request, response);
  });
  try {
    await listen(server, config);
  } catch (error) {
    spool.close();
    await engine.close();
    throw error;
  }
  const { port, family, address } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${String(port)}`,
    async close() {
      server.close();
      server.closeIdleConnections();
      const idle = async (timeoutMs: number, meanwhile?: () => void): Promise<boolean> => {
        const deadline = Date.now() + timeoutMs;
        while (context.running.size > 0 && Date.now() < deadline) {
          meanwhile?.();
          await delay(20);
        }
        return context.running.size === 0;
      };
      let inOrder = await idle(config.shutdownTimeoutMs);
      if (!inOrder) {
        for (const stop of context.running.values()) stop();
        inOrder = await idle(STOP_TIMEOUT_MS, () => {
          // Where nobody reads the engine waits with the answer, and hears of nothing until it has got rid of that.
          for (const answer of answers) if (answer.writableNeedDrain) answer.destroy();
        });
      }
      server.closeAllConnections();
      if (inOrder) await engine.close();
      spool.close();
      return inOrder;
    },
  };
}

function listen(server: Server, config: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function handle(context: ExecuteContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'http://embedded');
  if (url === null) {
    // `GET //` is enough to get here, without a password.
    response
      .writeHead(400, { 'Content-Type': 'text/plain; charset=UTF-8' })
      .end('The request target is no address: it is / with the query in its parameters or in the body.\n');
    return;
  }
  if (url.pathname === '/ping' || url.pathname === '/replicas_status') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end('Ok.\n');
    return;
  }
  if (url.pathname !== '/') {
    response
      .writeHead(404, { 'Content-Type': 'text/plain; charset=UTF-8' })
      .end(`There is no handle ${url.pathname}\n`);
    return;
  }
  const answer: AnswerContext = {
    response,
    version: context.engine.version,
    timezone: context.engine.timezone,
    queryId: url.searchParams.get('query_id') ?? '',
    startedAt: process.hrtime.bigint(),
    sendTimeoutMs: context.config.sendTimeoutMs,
    inBlocks: false,
  };
  if (context.config.password === '' && request.headers.origin !== undefined) {
    // Without a password any page in a local browser could send statements here.
    sendError(
      answer,
      raise('AUTHENTICATION_FAILED', 'Requests from web pages need a password: set CLICKHOUSE_PASSWORD.'),
    );
    return;
  }
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const parsed = readRequest(request, url);
    answer.queryId = parsed.queryId;
    answer.inBlocks = parsed.inBlocks;
    const contentType = request.headers['content-type'] ?? '';
    await execute(context, parsed, unpackBody(request), contentType, answer, gone.signal);
  } catch (error) {
    sendError(answer, fromEngine(error));
    // A body that is not wanted any more would keep the connection busy to its end.
    if (!request.complete) {
      request.unpipe();
      response.once('finish', () => request.destroy());
    }
  }
}
