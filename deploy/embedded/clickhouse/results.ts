import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Part of every Linux and of macOS; Node itself cannot make one. */
const MAKE_PIPES = 'mkfifo';

/**
 * One named pipe per running query. A reading query ends in `INTO OUTFILE '<pipe>'`: the engine writes its answer
 * there, in any format and whole, block by block, and waits when nobody reads. So a result of any size passes through
 * 64 KiB of the kernel's memory, and the back-pressure reaches from the client's socket into the query.
 *
 * chDB's own streaming call was tried first: it formats each block as a document of its own (a JSON answer repeats its
 * header), and it evaluates scalar subqueries on the event loop, where everybody waits.
 */
export type ResultPipes = { open(index: number): ResultPipe };

type ResultPipe = {
  path: string;
  /** What the engine writes; ends after `finish()` when all of it was read. */
  stream: Readable;
  /** To be called when the query has ended, well or not: nobody writes any more. */
  finish(): void;
};

/** Makes the pipes in a directory, which must exist. Throws when the system has no `mkfifo`. */
export function createResultPipes(directory: string, count: number): ResultPipes {
  const paths = Array.from({ length: count }, (_, index) => join(directory, `result-${String(index)}`));
  const made = spawnSync(MAKE_PIPES, ['-m', '600', ...paths], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`mkfifo failed: ${made.error?.message ?? made.stderr}`);
  return {
    open(index) {
      const path = paths[index]!;
      const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      // A writer of our own keeps the pipe from ending before the engine opens it and between two opens.
      const keeper = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      let finished = false;
      return {
        path,
        stream: new Socket({ fd: reading, readable: true, writable: false }),
        finish() {
          if (finished) return;
          finished = true;
          closeSync(keeper);
        },
      };
    },
  };
}
