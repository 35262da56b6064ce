import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { openLogFile, type LogFile } from './log-file.ts';

/** One process that the supervisor keeps running. */
export interface ServiceSpec {
  name: string;
  /** Absolute path of what Node runs. */
  entry: string;
  args?: string[];
  /** Added to the supervisor's own environment; undefined takes a variable away. */
  env: Record<string, string | undefined>;
  /** Answers 2xx once the process does its work. */
  readyUrl: string;
  /** Answers as long as the process turns; asked every few seconds while it runs. */
  aliveUrl: string;
  /** Whether the process itself ends with its standard input. Others get that from a module loaded before them. */
  endsWithStdin?: boolean;
}

export type ChildEvent =
  | { kind: 'ended'; how: string; restartInMs: number }
  | { kind: 'back'; afterMs: number }
  | { kind: 'silent' }
  | { kind: 'gaveUp'; how: string };

export interface SupervisedChild {
  readonly name: string;
  readonly log: LogFile;
  pid(): number | undefined;
  /** SIGTERM, and SIGKILL after the deadline. Resolves when the process is gone; it is not restarted. */
  stop(deadlineMs: number): Promise<void>;
  kill(): void;
}

/** Thrown when a process does not come up at the first start. */
export class ChildStartError extends Error {
  readonly log: LogFile;
  readonly how: string;
  constructor(name: string, how: string, log: LogFile) {
    super(`${name} did not start: ${how}`);
    this.name = 'ChildStartError';
    this.how = how;
    this.log = log;
  }
}

/** Time a first start may take: a cold disk reads 550 MB of engine, and a busy machine is slow. */
const READY_TIMEOUT_MS = 90_000;
const READY_POLL_MS = 50;
const ALIVE_POLL_MS = 5_000;
const ALIVE_TIMEOUT_MS = 4_000;
/** A process that has not answered this many times in a row (one minute) hangs and is replaced. */
const ALIVE_MISSES_MAX = 12;
const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 10_000;
/** Restarts in a row before the supervisor gives up; with the back-off about half a minute of trying. */
const RESTARTS_MAX = 8;
/** A process that was ready for this long has proved itself: the count of restarts begins anew. */
const PROVEN_MS = 60_000;

const PRELOAD = join(import.meta.dirname, 'end-with-parent.mjs');

/**
 * Starts a process and waits until it is ready; from then on restarts it, with growing pauses, whenever it ends.
 * @param onEvent hears what happens to it later
 * @throws ChildStartError when it does not come up the first time
 */
export async function startChild(
  spec: ServiceSpec,
  logDirectory: string,
  onEvent: (event: ChildEvent) => void,
): Promise<SupervisedChild> {
  const log = openLogFile(join(logDirectory, `${spec.name}.log`));
  let stopping = false;
  let restarts = 0;
  let current = launch(spec, log);
  const quit = new AbortController();

  const stopCurrent = async (deadlineMs: number) => {
    const { process: child, ended } = current;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    await ended;
    clearTimeout(timer);
  };

  const first = await becomesReady(spec, current.ended, quit.signal);
  if (first !== null) {
    current.process.kill('SIGKILL');
    await current.ended;
    throw new ChildStartError(spec.name, first, log);
  }

  const watch = async () => {
    let readySince = Date.now();
    for (;;) {
      const how = await endOrHang(spec, current, log, () => {
        onEvent({ kind: 'silent' });
      });
      if (stopping) return;
      const endedAt = Date.now();
      if (endedAt - readySince > PROVEN_MS) restarts = 0;
      for (let reason = how; ;) {
        restarts += 1;
        if (restarts > RESTARTS_MAX) {
          onEvent({ kind: 'gaveUp', how: reason });
          return;
        }
        const restartInMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** (restarts - 1));
        onEvent({ kind: 'ended', how: reason, restartInMs });
        await delay(restartInMs, undefined, { signal: quit.signal }).catch(() => undefined);
        if (stopping) return;
        current = launch(spec, log);
        const problem = await becomesReady(spec, current.ended, quit.signal);
        if (stopping) return;
        if (problem === null) break;
        current.process.kill('SIGKILL');
        await current.ended;
        reason = problem;
      }
      readySince = Date.now();
      onEvent({ kind: 'back', afterMs: readySince - endedAt });
    }
  };
  const watching = watch();

  return {
    name: spec.name,
    log,
    pid: () => current.process.pid,
    async stop(deadlineMs) {
      stopping = true;
      quit.abort();
      await stopCurrent(deadlineMs);
      await watching;
      log.close();
    },
    kill() {
      stopping = true;
      quit.abort();
      current.process.kill('SIGKILL');
    },
  };
}

interface Launched {
  process: ChildProcess;
  /** Resolves with how it ended. */
  ended: Promise<string>;
}

function launch(spec: ServiceSpec, log: LogFile): Launched {
  const preload = spec.endsWithStdin ? [] : ['--import', PRELOAD];
  const child = spawn(process.execPath, [...preload, spec.entry, ...(spec.args ?? [])], {
    env: { ...process.env, ...spec.env },
    stdio: ['pipe', log.descriptor, log.descriptor],
    // A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops everything in order.
    detached: true,
  });
  log.note(`--- ${new Date().toISOString()} starting, process ${child.pid ?? '?'}`);
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('close', (code, signal) => {
      resolve(signal ? `ended by ${signal}` : `ended with exit code ${code ?? 1}`);
    });
  });
  return { process: child, ended };
}

/** Waits for readiness. Returns null when ready, else what went wrong. */
async function becomesReady(spec: ServiceSpec, ended: Promise<string>, signal: AbortSignal): Promise<string | null> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let how: string | null = null;
  void ended.then((text) => (how = text));
  let last = 'no answer';
  while (Date.now() < deadline && !signal.aborted) {
    if (how !== null) return how;
    const answer = await ask(spec.readyUrl);
    if (answer === 'ok') return null;
    last = answer;
    await delay(READY_POLL_MS);
  }
  return `not ready after ${READY_TIMEOUT_MS / 1000} s (${spec.readyUrl}: ${last})`;
}

/** Resolves with how the process ended; one that hangs is killed first. */
async function endOrHang(spec: ServiceSpec, launched: Launched, log: LogFile, onSilent: () => void): Promise<string> {
  let over = false;
  const end = launched.ended.then((how) => {
    over = true;
    return how;
  });
  for (let misses = 0; !over;) {
    await Promise.race([end, delay(ALIVE_POLL_MS, undefined, { ref: false })]);
    if (over) break;
    log.enforceSize();
    misses = (await ask(spec.aliveUrl)) === 'no answer' ? misses + 1 : 0;
    if (misses < ALIVE_MISSES_MAX) continue;
    onSilent();
    launched.process.kill('SIGKILL');
    break;
  }
  return end;
}

async function ask(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ALIVE_TIMEOUT_MS) });
    if (response.ok) {
      await response.body?.cancel();
      return 'ok';
    }
    return `${response.status} ${(await response.text()).slice(0, 200)}`;
  } catch {
    return 'no answer';
  }
}
