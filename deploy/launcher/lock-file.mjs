import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * The text of a lock, or null when there is none.
 * @param {string} file
 */
export function readLock(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Takes a lock file, whole or not at all.
 * @param {string} file
 * @param {string | null} dead what {@link readLock} found there, once its owner is known to be gone
 * @param {string} mine
 * @returns false when another process was faster; its lock stays
 */
export function takeLock(file, dead, mine) {
  if (dead !== null && !removeLock(file, dead)) return false;
  // Linking a complete file, because a lock that is created and then written is empty for a moment and looks dead.
  const partial = ownName(file, 'new');
  writeFileSync(partial, mine, { mode: 0o600 });
  try {
    linkSync(partial, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(partial);
  }
}

/**
 * Removes a lock only if it still says what the caller has read. Of two processes that found the same dead one, the second would
 * otherwise remove what the first has put there; a rename is the one step in which only one of them gets the file.
 * @param {string} file
 * @param {string} text
 * @returns whether it was that lock and is gone
 */
export function removeLock(file, text) {
  const aside = ownName(file, 'old');
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
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

/** How a lock names this process: `began` tells it apart from another one that gets the same id later. */
export function thisProcess() {
  return { pid: process.pid, began: beginningOf(process.pid) };
}

/**
 * Whether a process that a lock names still lives and is another one than this.
 * @param {{ pid: number, began: string }} owner
 */
export function isAlive({ pid, began }) {
  // One left by a process that had this one's id, as in a container that is started again.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // A process of somebody else is alive all the same.
    if (codeOf(error) !== 'EPERM') return false;
  }
  return beginningOf(pid) === began;
}

/**
 * Start time of a process in clock ticks since boot (field 22 of /proc/pid/stat); '' where the system has no /proc.
 * @param {number} pid
 */
function beginningOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command, in parentheses, may hold blanks; what follows it does not.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** @param {string} file @param {string} what */
function ownName(file, what) {
  return `${file}.${process.pid}.${what}`;
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
