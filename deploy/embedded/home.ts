import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, readLock, removeLock, takeLock, thisProcess, type LockOwner } from '../launcher/lock-file.mjs';
import { StartProblem } from './problem.ts';

/** What is known about the instance that runs in a data directory. No secrets: those are files of their own. */
export interface RunningInstance extends LockOwner {
  dashboard_url: string;
  query_api_url: string;
  ingest_url: string;
  /** Of the engine, as its users reach it. */
  clickhouse_url: string;
}

const lockFile = (home: string) => join(home, 'instance.json');

/**
 * Makes the data directory and takes it for this process.
 * @returns a function that writes the instance's addresses into the lock, one that tells whether the directory is still there and
 *   this process's, and one that gives it back
 * @throws StartProblem when another instance has it or it can't be written
 */
export function takeHome(home: string): {
  describe: (urls: Omit<RunningInstance, keyof LockOwner>) => void;
  isHeld: () => boolean;
  release: () => void;
} {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
    mkdirSync(join(home, 'secrets'), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(home, 'made', error);
  }
  const mine: RunningInstance = {
    ...thisProcess(),
    dashboard_url: '',
    query_api_url: '',
    ingest_url: '',
    clickhouse_url: '',
  };
  const file = lockFile(home);
  let there: string | null;
  try {
    there = readLock(file);
  } catch (error) {
    throw unusable(home, 'read', error);
  }
  const other = there === null ? null : aliveInstance(there);
  if (other) {
    const where = other.dashboard_url === '' ? '' : ` (dashboard ${other.dashboard_url})`;
    throw new StartProblem(
      `Lanewatch already runs with the data directory ${home} as process ${other.pid}${where}: use that one, stop it with "kill ${other.pid}", or start another with LANEWATCH_HOME set to a different directory.`,
    );
  }
  let held = JSON.stringify(mine);
  let taken: boolean;
  try {
    taken = takeLock(file, there, held);
  } catch (error) {
    throw unusable(home, 'written', error);
  }
  if (!taken) {
    throw new StartProblem(
      `Another Lanewatch is starting with the data directory ${home} at this moment: try again in a second.`,
    );
  }
  return {
    describe(urls) {
      held = JSON.stringify({ ...mine, ...urls });
      replaceFile(file, held);
    },
    isHeld() {
      try {
        return readLock(file) === held;
      } catch {
        // A disk that can't be read now is no reason to give it up.
        return true;
      }
    },
    release() {
      removeLock(file, held);
    },
  };
}

function unusable(home: string, verb: 'made' | 'read' | 'written', error: unknown): StartProblem {
  return new StartProblem(
    `The data directory ${home} can't be ${verb} (${(error as Error).message}): choose another one with LANEWATCH_HOME.`,
  );
}

/** The instance that runs in a data directory, or null when none does. */
export function runningInstance(home: string): RunningInstance | null {
  const text = readLock(lockFile(home));
  return text === null ? null : aliveInstance(text);
}

/** Whom a lock names, if that process still lives; null for a lock that a crash left behind. */
function aliveInstance(lock: string): RunningInstance | null {
  try {
    const instance = JSON.parse(lock) as RunningInstance;
    return isAlive(instance) ? instance : null;
  } catch {
    return null;
  }
}

export interface Secrets {
  controlToken: string;
  controlTokenFile: string;
  authSecretFile: string;
  clickhousePassword: string;
  clickhouseAnalystPassword: string;
}

/** The installation's secrets: made at the first start, read at later ones. Files that only their owner reads. */
export function ensureSecrets(home: string): Secrets {
  return {
    controlToken: ensureSecret(home, 'control-token'),
    controlTokenFile: secretFile(home, 'control-token'),
    authSecretFile: ensureSecretFile(home, 'auth-secret'),
    clickhousePassword: ensureSecret(home, 'clickhouse-password'),
    clickhouseAnalystPassword: ensureSecret(home, 'clickhouse-analyst-password'),
  };
}

/** A kept secret of this name, or null. */
export function readSecret(home: string, name: string): string | null {
  try {
    return readFileSync(secretFile(home, name), 'utf8').trim() || null;
  } catch {
    return null;
  }
}

function secretFile(home: string, name: string): string {
  return join(home, 'secrets', name);
}

function ensureSecret(home: string, name: string): string {
  const kept = readSecret(home, name);
  if (kept !== null) return kept;
  const secret = randomBytes(32).toString('hex');
  replaceFile(secretFile(home, name), `${secret}\n`);
  return secret;
}

/** The same for a secret that only a service reads: where it is kept. */
function ensureSecretFile(home: string, name: string): string {
  ensureSecret(home, name);
  return secretFile(home, name);
}

/** Writes a file whole or not at all, readable by its owner only. */
export function replaceFile(file: string, text: string): void {
  const partial = `${file}.${process.pid}.partial`;
  rmSync(partial, { force: true });
  writeFileSync(partial, text, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(partial, file);
}
