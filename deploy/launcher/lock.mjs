import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A holder that has not written its pid within this time died between two lines of code. */
const UNNAMED_HOLDER_MAX_MS = 5_000;

/**
 * Runs `work` while holding a lock, so that two commands started together do not install or build over each other.
 * @template Result
 * @param {string} directory the lock: a directory, because making one either succeeds or finds another's
 * @param {string} what shown to whoever waits
 * @param {() => Result | Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function withLock(directory, what, work) {
  let told = false;
  while (!take(directory)) {
    if (holderIsGone(directory)) {
      rmSync(directory, { recursive: true, force: true });
      continue;
    }
    if (!told) console.error(`Waiting for another command that is ${what} …`);
    told = true;
    await delay(250);
  }
  try {
    return await work();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {string} directory */
function take(directory) {
  try {
    mkdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(directory, 'pid'), String(process.pid));
  return true;
}

/** @param {string} directory */
function holderIsGone(directory) {
  try {
    process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ESRCH') return true;
    if (code === 'EPERM') return false;
    try {
      return Date.now() - statSync(directory).mtimeMs > UNNAMED_HOLDER_MAX_MS;
    } catch {
      return false;
    }
  }
}
