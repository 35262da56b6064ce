import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/** Two files of about this size per service are kept at most. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LAST_LINES = 20;
const LINE_CHARS_MAX = 400;
const TAIL_BYTES = LAST_LINES * LINE_CHARS_MAX;

/**
 * The log of a service. The service itself writes to it, through a descriptor that it inherits: what it says in its last moment is
 * there even when the supervisor is gone, and it never hangs on a pipe that nobody reads (pino retries a broken one for ever).
 */
export interface LogFile {
  readonly path: string;
  /** Opened for appending; for the service's standard output and error. */
  readonly descriptor: number;
  note(line: string): void;
  lastLines(): string[];
  /** Moves what was written to `<path>.1` when there is more than the limit. Called now and then while the service runs. */
  enforceSize(): void;
  close(): void;
}

/** Opens a log, or goes on with the one that is there. */
export function openLogFile(path: string, bytesMax = LOG_BYTES_MAX): LogFile {
  // Appending, so that after truncation the service goes on at the new end and not where it was.
  const descriptor = openSync(path, 'a+', 0o600);
  return {
    path,
    descriptor,
    note(line) {
      // A full disk must not keep a service from being started again.
      unlessFull(() => writeSync(descriptor, `${line}\n`));
    },
    lastLines() {
      const { size } = fstatSync(descriptor);
      const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
      const read = readSync(descriptor, tail, 0, tail.length, size - tail.length);
      return tail
        .toString('utf8', 0, read)
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-LAST_LINES)
        .map((line) => line.slice(0, LINE_CHARS_MAX));
    },
    enforceSize() {
      if (fstatSync(descriptor).size <= bytesMax) return;
      // Lines written between the two calls are lost; renaming would leave the service writing to the old file.
      unlessFull(() => {
        copyFileSync(path, `${path}.1`);
        ftruncateSync(descriptor, 0);
      });
    },
    close() {
      closeSync(descriptor);
    },
  };
}

function unlessFull(write: () => void): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
