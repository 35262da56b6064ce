import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { openLogFile, type LogFile } from './log-file.ts';
import { ask, becomesReady, pause } from './ready.ts';

/** One process that the supervisor keeps running. */
export interface ServiceSpec {
  name: string;
  /** Absolute path of what Node runs. */
  entry: string;
  args?: string[];
  /** Added to the supervisor's own environment; undefined takes a variable away. */
  env: Record<string, string | undefined>;
  /** Answers 2xx once the process does its work, and names when to ask again (`retry-after`) while nothing but time is wanting. */
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
  /** Settles when the first start has: rejects with a ChildStartError when the process does not come up. */
  readonly ready: Promise<void>;
  pid(): number | undefined;
  /** SIGTERM, and SIGKILL after the deadline, also while it still starts. Resolves when the process is gone; it is not restarted. */
  stop(deadlineMs: number): Promise<void>;
  kill(): void;
}

/** Why a process did not come up at the first start. */
export class ChildStartError extends Error {
  override readonly name = 'ChildStartError';
  readonly how: string;
  /** The end of its log, and where all of it is. */
  readonly lastLines: string[];
  readonly logPath: string;
  constructor(name: string, how: string, log: LogFile) {
    super(`${name} did not start: ${how}`);
    this.how = how;
    this.lastLines = log.lastLines();
    this.logPath = log.path;
  }
}

const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 10_000;
/** Restarts in a row before the supervisor gives up; with the back-off about half a minute of trying. */
const RESTARTS_MAX = 8;
/** A process that was ready for this long has proved itself: the count of restarts begins anew. */
const PROVEN_MS = 60_000;

/** How a running process is watched. */
export interface AliveTimes {
  /** Pause between two questions. */
  pollMs: number;
  /** How long one question waits for its answer. */
  timeoutMs: number;
  /** A process that has not answered for this long hangs and is replaced. */
  silentMaxMs: number;
}
const ALIVE_TIMES: AliveTimes = { pollMs: 5_000, timeoutMs: 4_000, silentMaxMs: 60_000 };

const PRELOAD = join(import.meta.dirname, 'end-with-parent.ts');

/**
 * Starts a process; once it was ready it is restarted, with growing pauses, whenever it ends.
 * @param onEvent hears what happens to it after the first start
 */
export function startChild(
  spec: ServiceSpec,
  logDirectory: string,
  onEvent: (event: ChildEvent) => void,
  times: AliveTimes = ALIVE_TIMES,
): SupervisedChild {
  const log = openLogFile(join(logDirectory, `${spec.name}.log`));
  const quit = new AbortController();
  let restarts = 0;
  let current = launch(spec, log);

  const stopCurrent = async (deadlineMs: number) => {
    const { process: child, ended } = current;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    await ended;
    clearTimeout(timer);
  };

  const start = async () => {
    const problem = await becomesReady(spec.readyUrl, current.ended, quit.signal);
    if (problem === null) return;
    if (!quit.signal.aborted) current.process.kill('SIGKILL');
    await current.ended;
    throw new ChildStartError(spec.name, problem, log);
  };

  const watch = async () => {
    let readySince = Date.now();
    for (;;) {
      const how = await endOrHang(spec, current, log, times, () => {
        onEvent({ kind: 'silent' });
      });
      if (quit.signal.aborted) return;
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
        await pause(restartInMs, quit.signal);
        if (quit.signal.aborted) return;
        current = launch(spec, log);
        const problem = await becomesReady(spec.readyUrl, current.ended, quit.signal);
        if (quit.signal.aborted) return;
        if (problem === null) break;
        current.process.kill('SIGKILL');
        await current.ended;
        reason = problem;
      }
      readySince = Date.now();
      onEvent({ kind: 'back', afterMs: readySince - endedAt });
    }
  };

  const ready = start();
  // Whoever waits for readiness hears of a failure; here it only means that there is nothing to watch.
  const watching = ready.then(watch, () => undefined);

  return {
    name: spec.name,
    log,
    ready,
    pid: () => current.process.pid,
    async stop(deadlineMs) {
      quit.abort();
      await stopCurrent(deadlineMs);
      await watching;
      log.close();
    },
    kill() {
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

/** Resolves with how the process ended; one that hangs is killed first. */
async function endOrHang(
  spec: ServiceSpec,
  launched: Launched,
  log: LogFile,
  { pollMs, timeoutMs, silentMaxMs }: AliveTimes,
  onSilent: () => void,
): Promise<string> {
  let over = false;
  const end = launched.ended.then((how) => {
    over = true;
    return how;
  });
  for (let silentMs = 0, roundAt = performance.now(); !over;) {
    await Promise.race([end, delay(pollMs, undefined, { ref: false })]);
    if (over) break;
    log.enforceSize();
    const answered = (await ask(spec.aliveUrl, timeoutMs)).answer !== 'no answer';
    const now = performance.now();
    // A round never counts for more than it can take, so that a machine which slept for hours kills nothing when it wakes.
    silentMs = answered ? 0 : silentMs + Math.min(now - roundAt, pollMs + timeoutMs);
    roundAt = now;
    if (silentMs < silentMaxMs) continue;
    onSilent();
    launched.process.kill('SIGKILL');
    break;
  }
  return end;
}
