import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

/** Another process (or another part of this one) has the spool open. */
export class SpoolInUseError extends Error {
  constructor(directory: string) {
    super(
      `The spool directory ${directory} is in use by another ingest: stop that one, or set SPOOL_DIR to a directory for this one alone.`,
    );
    this.name = 'SpoolInUseError';
  }
}

/**
 * Takes a spool's directory for this process, until it is released or the process ends in whatever way.
 *
 * The lock is SQLite's on an empty file, because Node itself can lock none and only the operating system lets go of a lock when its
 * holder is killed. A file with a process id would have to be judged by its successor, which in another container can't.
 * @throws SpoolInUseError
 */
export function lockSpool(directory: string): { release(): void } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(directory, 'lock'));
    // The lock is all that is wanted: no journal beside it, no page in it.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) throw new SpoolInUseError(directory);
    throw new Error(
      `The spool directory ${directory} cannot be locked (${(error as Error).message}): set SPOOL_DIR to a directory that this process may write to.`,
      { cause: error },
    );
  }
  const held = database;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}
