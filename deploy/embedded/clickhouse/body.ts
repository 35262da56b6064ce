import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readlinkSync, rmSync, statfsSync, writeSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

import { raise } from './errors.ts';
import { unpackZstd } from './zstd.ts';

/** The engine reads at most this much of a statement (ClickHouse's `max_query_size` is 256 KiB; data after it is not counted). */
export const STATEMENT_BYTES_MAX = 1024 * 1024;

/**
 * The body's chunks, unpacked. Throws NOT_IMPLEMENTED for an encoding nobody here knows; an unpacking error or a
 * connection that breaks off throws from the iteration.
 */
export function unpackBody(request: IncomingMessage): AsyncIterable<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'zstd') return unpackZstd(request);
  const unpacker = makeUnpacker(encoding);
  if (unpacker === undefined) return request;
  // The error arrives at whoever iterates over the unpacker.
  return pipeline(request, unpacker, () => undefined);
}

function makeUnpacker(encoding: string): ReturnType<typeof createGunzip> | undefined {
  switch (encoding) {
    case 'identity':
    case '':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      throw raise('NOT_IMPLEMENTED', `Unknown compression method: ${encoding}. Use gzip, deflate, br or zstd.`);
  }
}

/** The body from its start, with the means to take the rest as text or into a file. */
export type Body = {
  /** Reads up to `bytes` or to the end, whichever comes first. Further calls go on from there. */
  read(bytes: number): Promise<{ data: Buffer; ended: boolean }>;
  /** Everything not read yet. */
  rest(): AsyncIterable<Buffer>;
};

export function createBody(stream: AsyncIterable<Buffer>): Body {
  const iterator = stream[Symbol.asyncIterator]();
  const nextChunk = async (): Promise<Buffer | undefined> => {
    try {
      const step = await iterator.next();
      return step.done === true ? undefined : step.value;
    } catch (error) {
      throw bodyProblem(error);
    }
  };
  return {
    async read(bytes) {
      const chunks: Buffer[] = [];
      let size = 0;
      while (size < bytes) {
        const chunk = await nextChunk();
        if (chunk === undefined) return { data: Buffer.concat(chunks), ended: true };
        chunks.push(chunk);
        size += chunk.length;
      }
      return { data: Buffer.concat(chunks), ended: false };
    },
    async *rest() {
      for (let chunk = await nextChunk(); chunk !== undefined; chunk = await nextChunk()) yield chunk;
    },
  };
}

function bodyProblem(error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const text = error instanceof Error ? error.message : String(error);
  if (code.startsWith('Z_') || code.startsWith('ERR_') || code.startsWith('ZSTD')) {
    return raise('INCORRECT_DATA', `The request body cannot be unpacked or is incomplete: ${text}`);
  }
  return raise('ABORTED', `The request body broke off: ${text}`);
}

export type SpooledFile = { path: string; bytes: number; remove(): void };

export type Spool = {
  /** Where the files are, for the result pipes to be beside them. */
  directory: string;
  /** Writes chunks into a new file. Throws TOO_MANY_BYTES or MEMORY_LIMIT_EXCEEDED, and leaves no file then. */
  store(chunks: AsyncIterable<Buffer>, first: Buffer): Promise<SpooledFile>;
  close(): void;
};

/**
 * Temporary files for INSERT bodies: the engine's statement call takes text, and binary formats only from files.
 * They are in memory (`/dev/shm`) where the system has that. Writing is synchronous, because it is a copy in memory,
 * and because asynchronous writes would queue for the same threads that run the queries.
 */
export function createSpool(bodyBytesMax: number, allBytesMax: number): Spool {
  const parent = hasRoom('/dev/shm', allBytesMax) ? '/dev/shm' : tmpdir();
  removeAbandoned(parent);
  const directory = join(parent, `${SPOOL_PREFIX}${String(process.pid)}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
  let inUse = 0;
  return {
    directory,
    async store(chunks, first) {
      const path = join(directory, `body-${randomUUID()}`);
      const file = openSync(path, 'wx', 0o600);
      let bytes = 0;
      let closed = false;
      const remove = (): void => {
        if (closed) return;
        closed = true;
        inUse -= bytes;
        rmSync(path, { force: true });
      };
      const append = (chunk: Buffer): void => {
        bytes += chunk.length;
        inUse += chunk.length;
        if (bytes > bodyBytesMax) {
          throw raise('TOO_MANY_BYTES', `The request body is larger than ${String(bodyBytesMax)} bytes.`, 413);
        }
        if (inUse > allBytesMax) {
          const text = `The request bodies in progress together are larger than ${String(allBytesMax)} bytes.`;
          throw raise('MEMORY_LIMIT_EXCEEDED', text, 503);
        }
        try {
          for (let written = 0; written < chunk.length;) written += writeSync(file, chunk, written);
        } catch (error) {
          throw raise('MEMORY_LIMIT_EXCEEDED', `The request body cannot be stored: ${(error as Error).message}`, 503);
        }
      };
      try {
        append(first);
        for await (const chunk of chunks) append(chunk);
        return { path, bytes, remove };
      } catch (error) {
        remove();
        throw error;
      } finally {
        closeSync(file);
      }
    },
    close() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Process ids mean something only among the processes that see the same ones: containers may share `/dev/shm`. */
const SPOOL_PREFIX = `lanewatch-clickhouse-${processNamespace()}-`;

function processNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 'host';
  } catch {
    return 'host';
  }
}

/** Removes what processes left behind that were killed. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(SPOOL_PREFIX) ? Number(name.slice(SPOOL_PREFIX.length)) : NaN;
    if (!Number.isInteger(pid)) continue;
    try {
      process.kill(pid, 0);
    } catch (error) {
      // EPERM: it lives, and belongs to someone else.
      if ((error as NodeJS.ErrnoException).code === 'ESRCH')
        rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** Containers often have a `/dev/shm` of 64 MiB, which is less than one body may be. */
function hasRoom(directory: string, bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize >= bytes;
  } catch {
    return false;
  }
}
