import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress } from 'node:zlib';

import { compressedBlocks, createBlockWriter } from './compressed-blocks.ts';
import type { EngineError } from './errors.ts';
import { httpStatus, raise } from './errors.ts';
import { contentType } from './formats.ts';
import type { QueryRequest } from './request.ts';

/** Bytes held back before the status is sent: an error within them still gets the right one. ClickHouse's buffer is as large. */
const HELD_BACK_BYTES_MAX = 1024 * 1024;
/** What `wait_end_of_query` may hold back; a larger answer is sent as it comes. */
const WAIT_BYTES_MAX = 64 * 1024 * 1024;

export type Summary = {
  readRows?: number;
  readBytes?: number;
  writtenRows?: number;
  writtenBytes?: number;
  resultRows?: number;
  resultBytes?: number;
};

export type AnswerContext = {
  response: ServerResponse;
  version: string;
  timezone: string;
  queryId: string;
  startedAt: bigint;
  /** How long a client may take no byte of an answer before its connection is ended. */
  sendTimeoutMs: number;
  /** The client reads results in ClickHouse's own block compression. Errors are sent as they are. */
  inBlocks: boolean;
};

/** The `X-ClickHouse-Summary` header; its numbers are strings, as ClickHouse's are. */
function summaryHeader(context: AnswerContext, summary: Summary): string {
  const elapsedNs = process.hrtime.bigint() - context.startedAt;
  return JSON.stringify({
    read_rows: String(summary.readRows ?? 0),
    read_bytes: String(summary.readBytes ?? 0),
    written_rows: String(summary.writtenRows ?? 0),
    written_bytes: String(summary.writtenBytes ?? 0),
    total_rows_to_read: '0',
    result_rows: String(summary.resultRows ?? 0),
    result_bytes: String(summary.resultBytes ?? 0),
    elapsed_ns: String(elapsedNs),
    memory_usage: '0',
  });
}

function commonHeaders(context: AnswerContext): Record<string, string> {
  return {
    'X-ClickHouse-Server-Display-Name': 'lanewatch-embedded',
    'X-ClickHouse-Query-Id': context.queryId.replaceAll(/[^\x20-\x7e]/g, '?'),
    'X-ClickHouse-Timezone': context.timezone,
  };
}

/** ClickHouse ends every error text with the version. */
function errorText(context: AnswerContext, error: EngineError): string {
  return `${error.message} (version ${context.version} (embedded))\n`;
}

/** Answers with an error, when nothing has been sent yet; otherwise see `breakOff`. */
export function sendError(context: AnswerContext, error: EngineError): void {
  const { response } = context;
  if (response.headersSent || response.destroyed) return;
  response.writeHead(httpStatus(error), {
    ...commonHeaders(context),
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(error.code),
    'X-ClickHouse-Summary': summaryHeader(context, {}),
    ...(error.code === 516 ? { 'WWW-Authenticate': 'Basic realm="ClickHouse server HTTP API"' } : {}),
  });
  response.end(errorText(context, error));
}

/** Answers with a finished, small result. */
export function sendBuffer(context: AnswerContext, format: string, output: Buffer, summary: Summary): void {
  if (context.response.destroyed) return;
  const body = context.inBlocks ? Buffer.concat(compressedBlocks(output)) : output;
  context.response.writeHead(200, {
    ...commonHeaders(context),
    'Content-Type': contentType(format),
    'X-ClickHouse-Format': format,
    'X-ClickHouse-Summary': summaryHeader(context, summary),
    'Content-Length': String(body.length),
  });
  context.response.end(body);
}

/** How a streamed query ended. */
export type StreamEnd = { error?: EngineError; summary: Summary };

export type StreamOptions = Pick<QueryRequest, 'compression' | 'waitEndOfQuery'> & {
  /** Longest answer; the engine's own limit counts a constant column's value once, however many rows have it. */
  bytesMax: number;
  /** Called once when the answer is longer: stop the query. */
  onTooLong(): void;
};

/**
 * Sends a result as the engine produces it. The status waits for the first megabyte or the end of the query, whichever
 * comes first. An error after that is put into the body between ClickHouse's `__exception__` marks, and the
 * connection is closed without the ending a complete answer has, so that no client can take it for one.
 *
 * When the client goes away, or stays and stops reading, the rest of the result is read and thrown away: a pipe that
 * nobody reads would hold the engine's thread for ever, and no limit on its time ends it there. The caller stops the query.
 */
export async function sendStream(
  context: AnswerContext,
  request: StreamOptions,
  format: string,
  source: Readable,
  ended: Promise<StreamEnd>,
): Promise<void> {
  const { response } = context;
  const held: Buffer[] = [];
  const heldMax = request.waitEndOfQuery ? WAIT_BYTES_MAX : HELD_BACK_BYTES_MAX;
  let heldBytes = 0;
  let bytes = 0;
  let tooLong: EngineError | undefined;
  let sink: ServerResponse | Transform | undefined;
  const tag = randomBytes(12).toString('base64url').slice(0, 16);

  const start = (summary: Summary): ServerResponse | Transform => {
    // A client that undoes blocks gains nothing from a second packing around them.
    const packing = context.inBlocks ? undefined : makeCompressor(request.compression);
    response.writeHead(200, {
      ...commonHeaders(context),
      'Content-Type': contentType(format),
      'X-ClickHouse-Format': format,
      'X-ClickHouse-Summary': summaryHeader(context, summary),
      'X-ClickHouse-Exception-Tag': tag,
      ...(packing === undefined ? {} : { 'Content-Encoding': request.compression, Vary: 'Accept-Encoding' }),
    });
    const transform = context.inBlocks ? createBlockWriter() : packing;
    transform?.pipe(response);
    return transform ?? response;
  };
  const write = async (target: ServerResponse | Transform, chunk: Buffer): Promise<void> => {
    if (target.write(chunk) || response.destroyed) return;
    const leave = new AbortController();
    const gone = (): void => {
      leave.abort();
    };
    response.once('close', gone);
    const timer = setTimeout(() => response.destroy(), context.sendTimeoutMs);
    await once(target, 'drain', { signal: leave.signal }).catch(() => undefined);
    clearTimeout(timer);
    response.off('close', gone);
  };

  // Kept open when this fails: the caller must go on reading until the engine has ended.
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if (response.destroyed || tooLong !== undefined) continue;
    bytes += chunk.length;
    if (bytes > request.bytesMax) {
      const text = `Limit for result exceeded, max bytes: ${String(request.bytesMax)}.`;
      tooLong = raise('TOO_MANY_ROWS_OR_BYTES', text);
      request.onTooLong();
      continue;
    }
    if (sink !== undefined) {
      await write(sink, chunk);
      continue;
    }
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes >= heldMax) {
      sink = start({});
      for (const part of held.splice(0)) await write(sink, part);
    }
  }
  const { error: engineError, summary } = await ended;
  const error = tooLong ?? engineError;
  if (response.destroyed) return;
  if (sink === undefined) {
    if (error !== undefined) {
      sendError(context, error);
      return;
    }
    if (context.inBlocks || request.compression === undefined) {
      sendBuffer(context, format, Buffer.concat(held), summary);
      return;
    }
    sink = start(summary);
    for (const part of held) sink.write(part);
  }
  if (error === undefined) sink.end();
  else breakOff(context, sink, tag, error);
}

/** Ends a half-sent answer so that the client sees the error: in the text, and in the missing end of the transfer. */
function breakOff(context: AnswerContext, sink: ServerResponse | Transform, tag: string, error: EngineError): void {
  const text = errorText(context, error);
  const length = Buffer.byteLength(text);
  const marked = `\r\n__exception__\r\n${tag}\r\n${text}${String(length)} ${tag}\r\n__exception__\r\n`;
  const { response } = context;
  if (sink === response) {
    response.write(marked, () => response.socket?.destroySoon());
    return;
  }
  sink.end(marked);
  // The compressor ends the response when it is done; cut it before the transfer's own end is sent.
  (sink as Transform).unpipe(response);
  sink.on('data', (chunk: Buffer) => response.write(chunk));
  sink.on('end', () => response.write('', () => response.socket?.destroySoon()));
}

function makeCompressor(encoding: QueryRequest['compression']): Transform | undefined {
  switch (encoding) {
    case 'gzip':
      return createGzip({ level: 3 });
    case 'deflate':
      return createDeflate({ level: 3 });
    case 'br':
      return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });
    case 'zstd':
      return createZstdCompress();
    case undefined:
      return undefined;
  }
}
