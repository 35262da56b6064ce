import type { IncomingMessage } from 'node:http';
import { constants, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { ApiProblem } from '../problem.ts';
import type { ByteBudget } from './budget.ts';

export interface BodyLimits {
  /** After decompression. */
  bodyBytesMax: number;
  /** As sent, when compressed. */
  compressedBytesMax: number;
}

/** What a decompressor itself holds; zstd keeps a window of the data. */
const DECOMPRESSOR_BYTES = 256 * 1024;
/** Frames of one zstd body at most, since each costs a decompressor of its own, however little it holds. */
const ZSTD_FRAMES_MAX = 1_000;
/** 2^23 = 8 MiB: what zstd's levels up to 19 use. A frame that asks for more is refused before it is allocated. */
const ZSTD_WINDOW_LOG_MAX = 23;

const DECOMPRESSORS = {
  gzip: () => createGunzip({ chunkSize: 65_536 }),
  deflate: () => createInflate({ chunkSize: 65_536 }),
  zstd: () =>
    createZstdDecompress({
      chunkSize: 65_536,
      params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
    }),
} as const;

type Encoding = keyof typeof DECOMPRESSORS | 'identity';

function encodingOf(header: string | undefined): Encoding {
  const name = (header ?? 'identity').trim().toLowerCase();
  if (name === '' || name === 'identity') return 'identity';
  if (name === 'x-gzip') return 'gzip';
  // What HTTP calls deflate is the zlib format, and the OpenTelemetry Collector sends it by that name too.
  if (name === 'zlib') return 'deflate';
  if (name === 'gzip' || name === 'deflate' || name === 'zstd') return name;
  throw new ApiProblem('unsupported_media_type', 'Content-Encoding must be gzip, zstd, deflate or identity.', {
    headers: { 'accept-encoding': 'gzip, zstd, deflate' },
  });
}

function tooLarge(bytesMax: number, what: string): ApiProblem {
  return new ApiProblem('body_too_large', `The body is larger than ${bytesMax} bytes${what}. Send smaller batches.`);
}

/** A body together with what it took from the budget; call `release` once the request is answered. */
export interface ReceivedBody {
  bytes: Buffer;
  /**
   * Takes what decoding the body needs beside it, and never more than the budget holds without anybody else.
   * @throws ApiProblem busy
   */
  takeMore: (bytes: number) => void;
  release: () => void;
}

/**
 * Reads a request body, decompressing as it comes, and stops at the limit: a bomb is never unpacked whole.
 * @throws ApiProblem body_too_large, unsupported_media_type, invalid_body (broken compression), busy (budget used up)
 */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  budget: ByteBudget,
): Promise<ReceivedBody> {
  const encoding = encodingOf(request.headers['content-encoding']);
  const sentBytesMax = encoding === 'identity' ? limits.bodyBytesMax : limits.compressedBytesMax;
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > sentBytesMax) throw tooLarge(sentBytesMax, encoding === 'identity' ? '' : ' as sent');

  let taken = 0;
  const take = (bytes: number) => {
    if (!budget.take(bytes)) {
      throw new ApiProblem('busy', 'Too many bytes are being received at once. Try again in a moment.', {
        headers: { 'retry-after': '1' },
      });
    }
    taken += bytes;
  };
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    const keep = (chunk: Buffer) => {
      length += chunk.length;
      if (length > limits.bodyBytesMax) {
        throw tooLarge(limits.bodyBytesMax, encoding === 'identity' ? '' : ' after decompression');
      }
      take(chunk.length);
      chunks.push(chunk);
    };
    if (encoding === 'identity') {
      await readPlain(request, keep);
    } else {
      take(DECOMPRESSOR_BYTES);
      await decompress(request, encoding, sentBytesMax, keep);
    }
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
    return {
      bytes,
      takeMore: (more) => take(Math.min(more, budget.bytesMax - taken)),
      release: () => {
        budget.give(taken);
        taken = 0;
      },
    };
  } catch (error) {
    budget.give(taken);
    // What is still coming is read and thrown away: closing on a sender in mid-sentence would reset the connection and lose
    // the answer. The server's request time-out bounds how long that can take.
    request.resume();
    throw error;
  }
}

/** The sender left before the body was complete; nobody is there to read the answer. */
function gone(cause?: unknown): ApiProblem {
  return new ApiProblem('invalid_body', 'The body ended too early.', { cause });
}

/**
 * Events instead of `for await`, whose early end would destroy the request and with it the socket that the answer needs.
 */
function readPlain(request: IncomingMessage, keep: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      if (error === undefined) resolve();
      else reject(error as Error);
    };
    const onData = (chunk: Buffer) => {
      try {
        keep(chunk);
      } catch (error) {
        settle(error);
      }
    };
    const onEnd = () => settle();
    const onError = (error: Error) => settle(gone(error));
    const onClose = () => settle(gone());
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

async function decompress(
  request: IncomingMessage,
  encoding: keyof typeof DECOMPRESSORS,
  sentBytesMax: number,
  keep: (chunk: Buffer) => void,
): Promise<void> {
  let unpack = DECOMPRESSORS[encoding]();
  let sent = 0;
  let sentToOthers = 0;
  let piece: Buffer = Buffer.alloc(0);
  const bytesLeft = () => sent - sentToOthers - unpack.bytesWritten;
  /** One piece after the other, so that what the decompressor leaves of it is known. */
  const write = (next: Buffer) => {
    piece = next;
    unpack.write(piece, () => {
      if (bytesLeft() === 0) request.resume();
    });
  };
  const onData = (chunk: Buffer) => {
    sent += chunk.length;
    if (sent > sentBytesMax) {
      unpack.destroy(tooLarge(sentBytesMax, ' as sent'));
      return;
    }
    request.pause();
    write(chunk);
  };
  const onEnd = () => unpack.end();
  const onBroken = (error?: Error) => {
    if (!request.readableEnded) unpack.destroy(gone(error));
  };
  request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  try {
    for (let frames = 1; ; frames++) {
      for await (const chunk of unpack) keep(chunk as Buffer);
      // Node stops at the end of a zstd frame or a zlib stream that lies inside a piece, and says nothing of what follows.
      // Several frames in a row are one zstd body. (Of gzip it goes on by itself, and leaves nothing but padding.)
      const rest = piece.subarray(piece.length - bytesLeft());
      if (rest.length === 0 || encoding === 'gzip') return;
      if (encoding !== 'zstd')
        throw new ApiProblem('invalid_body', `Something follows the ${encoding} data of the body.`);
      if (frames === ZSTD_FRAMES_MAX) {
        throw new ApiProblem(
          'body_too_large',
          `The body holds more than ${ZSTD_FRAMES_MAX} zstd frames. Send it as one.`,
        );
      }
      sentToOthers = sent - rest.length;
      unpack.destroy();
      unpack = DECOMPRESSORS[encoding]();
      write(rest);
    }
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    throw new ApiProblem('invalid_body', `The body is not valid ${encoding}, or it ends too early.`, {
      cause: error,
    });
  } finally {
    request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
    request.resume();
    unpack.destroy();
  }
}
