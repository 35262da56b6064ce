import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** Two files of this size per service are kept at most. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LAST_LINES = 20;
const LINE_CHARS_MAX = 400;

/** Appends what a process prints to a file of bounded size and remembers the last lines for messages. */
export interface LogFile {
  readonly path: string;
  write(chunk: Buffer): void;
  lastLines(): string[];
  close(): void;
}

/** Opens a log; beyond `bytesMax` the file becomes `<path>.1` and a new one begins. */
export function openLogFile(path: string, bytesMax = LOG_BYTES_MAX): LogFile {
  let descriptor = openSync(path, 'a', 0o600);
  let size = fstatSync(descriptor).size;
  let tail = '';
  return {
    path,
    write(chunk) {
      tail = (tail + chunk.toString('utf8')).slice(-LAST_LINES * LINE_CHARS_MAX);
      if (size + chunk.length > bytesMax && size > 0) {
        closeSync(descriptor);
        renameSync(path, `${path}.1`);
        descriptor = openSync(path, 'a', 0o600);
        size = 0;
      }
      size += writeSync(descriptor, chunk);
    },
    lastLines: () =>
      tail
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-LAST_LINES)
        .map((line) => line.slice(0, LINE_CHARS_MAX)),
    close() {
      closeSync(descriptor);
    },
  };
}
