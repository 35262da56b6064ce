import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** The text of a lock, or null when there is none. */
export function readLock(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Takes a lock file, whole or not at all.
 * @param dead what {@link readLock} found there, once its owner is known to be gone
 * @returns false when another process was faster; its lock stays
 */
export function takeLock(file: string, dead: string | null, mine: string): boolean {
  if (dead !== null && !removeLock(file, dead)) return false;
  // Linking a complete file, because a lock that is created and then written is empty for a moment and looks dead.
  const partial = ownName(file, 'new');
  writeFileSync(partial, mine, { mode: 0o600 });
  try {
    linkSync(partial, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(partial);
  }
}

/**
 * Removes a lock only if it still says what the caller has read. Of two processes that found the same dead one, the second would
 * otherwise remove what the first has put there; a rename is the one step in which only one of them gets the file.
 * @returns whether it was that lock and is gone
 */
export function removeLock(file: string, text: string): boolean {
  const aside = ownName(file, 'old');
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  const same = readFileSync(aside, 'utf8') === text;
  try {
    if (!same) linkSync(aside, file);
  } finally {
    rmSync(aside);
  }
  return same;
}

function ownName(file: string, what: string): string {
  return `${file}.${process.pid}.${what}`;
}
