import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, readLock, removeLock, takeLock, thisProcess } from './lock-file.mjs';

const LOOK_MS = 250;

/**
 * Runs `work` while holding a lock, so that two commands started together do not install or build over each other. Not for two
 * calls of one process at a time: a lock in the name of this process is one that a crash left behind.
 * @template Result
 * @param {string} file the lock
 * @param {string} what shown to whoever waits
 * @param {() => Result | Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withLock(file, what, work) {
  const mine = JSON.stringify(thisProcess());
  let told = false;
  for (;;) {
    const there = readLock(file);
    const free = there === null || !isHeld(there);
    if (free && takeLock(file, there, mine)) break;
    if (free) continue;
    if (!told) console.error(`Waiting for another command that is ${what} …`);
    told = true;
    await delay(LOOK_MS);
  }
  try {
    return await work();
  } finally {
    removeLock(file, mine);
  }
}

/** @param {string} lock */
function isHeld(lock) {
  try {
    return isAlive(JSON.parse(lock));
  } catch {
    // Not a lock of this version, or one that a crash of the machine cut off.
    return false;
  }
}
