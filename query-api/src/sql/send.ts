import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';
import type { SqlProgress, SqlRequest } from '../../contract/index.ts';
import { takeOver } from '../http/event-stream.ts';
import { ProblemError } from '../http/problem.ts';
import { FILE_FORMATS, type AnalystEngine, type FileType } from './analyst.ts';
import { problemOf } from './problems.ts';

/** A client that goes away ends its query. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** The file format that is asked for; null for none. */
export function fileTypeOf(accept: string | undefined): FileType | null {
  const types = (accept ?? '').split(',').map((part) => part.split(';', 1)[0]!.trim().toLowerCase());
  return (types.find((type) => Object.hasOwn(FILE_FORMATS, type)) as FileType | undefined) ?? null;
}

/** Answers with all rows as a file, which ends when it is sent. @throws {ProblemError} while nothing of it has left */
export async function sendFile(
  engine: AnalystEngine,
  { sql, parameters }: SqlRequest,
  type: FileType,
  reply: FastifyReply,
  gone: AbortSignal,
): Promise<{ value: null; rowsRead: number }> {
  try {
    const rows = await engine.file(sql, parameters, type, gone);
    // What fails at once is a problem; what fails later can only cut the file.
    if (rows.readableLength === 0) await Promise.race([once(rows, 'readable'), once(rows, 'end')]);
    takeOver(reply).writeHead(200, {
      'content-type': type,
      'content-disposition': `attachment; filename="lanewatch-query.${FILE_FORMATS[type].extension}"`,
    });
    await pipeline(rows, reply.raw);
    return { value: null, rowsRead: 0 };
  } catch (error) {
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return { value: null, rowsRead: 0 };
    }
    throw problemOf(error, sql);
  }
}

/** Server-sent events: progress a few times a second, then the result or what kept it from coming. */
export async function sendProgress(
  reply: FastifyReply,
  run: (tell: (said: SqlProgress) => void) => Promise<Extract<SqlProgress, { kind: 'result' }> | object>,
): Promise<void> {
  const raw = takeOver(reply);
  raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  raw.flushHeaders();
  const tell = (said: object) => void raw.write(`data: ${JSON.stringify(said)}\n\n`);
  try {
    tell({ kind: 'result', ...(await run(tell)) });
  } catch (error) {
    const known = error instanceof ProblemError;
    const detail = known ? error.detail : 'The ledger does not answer. Try again in a moment.';
    tell({ kind: 'problem', detail, errors: known ? error.errors : [] });
  }
  raw.end();
}
