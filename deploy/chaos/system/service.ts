import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { pause, until } from '../until.ts';

/** A process of the system under test that is kept running until it is told otherwise. */
export interface Service {
  readonly name: string;
  /** Process id, or null while there is none. */
  readonly pid: number | null;
  /** How often it ended by itself and was started again. */
  readonly restarts: number;
  /** Starts it; resolves when it runs, which is before it is ready. */
  start(): void;
  ready(): Promise<void>;
  /** SIGKILL; resolves when it is gone. It stays down until `start`. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code, null when it had to be killed. It stays down until `start`. */
  stop(): Promise<number | null>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
}

export interface ServiceOptions {
  name: string;
  /** TypeScript file that Node runs. */
  entry: string;
  environment: Record<string, string>;
  logFile: string;
  isReady(): Promise<boolean>;
}

const END_WITH_PARENT = new URL('../../embedded/end-with-parent.ts', import.meta.url).href;
/** A supervisor starts what ended by itself again after this time. */
const RESTART_PAUSE_MS = 200;
/** Ends what hangs: on a busy machine a start takes minutes. */
const READY_DEADLINE_MS = 600_000;
const STOP_DEADLINE_MS = 300_000;

/** A service that is not started yet. */
export function createService(options: ServiceOptions): Service {
  const { name, logFile } = options;
  let child: ChildProcess | null = null;
  let wanted = false;
  let restarts = 0;

  function launch(): void {
    const log = openSync(logFile, 'a');
    const own = spawn(process.execPath, ['--import', END_WITH_PARENT, options.entry], {
      // The pipe is what tells the child that this process is gone.
      stdio: ['pipe', log, log],
      // Nothing of the caller's environment decides what is tested, apart from where programs are found.
      env: { PATH: process.env['PATH'] ?? '', ...options.environment },
    });
    writeSync(log, `--- ${new Date().toISOString()} started as process ${own.pid ?? 0}\n`);
    closeSync(log);
    child = own;
    endWithThisProcess(own);
    // Closing the pipe of a child that was killed is no error of ours.
    own.stdin?.on('error', () => undefined);
    own.once('exit', (code, signal) => {
      if (child === own) child = null;
      note(`ended with ${signal ?? `code ${code ?? 'unknown'}`}`);
      if (!wanted) return;
      restarts++;
      void pause(RESTART_PAUSE_MS).then(() => {
        if (wanted && child === null) launch();
      });
    });
  }

  function note(text: string): void {
    const log = openSync(logFile, 'a');
    writeSync(log, `--- ${new Date().toISOString()} ${text}\n`);
    closeSync(log);
  }

  function signal(which: NodeJS.Signals): void {
    child?.kill(which);
    note(which);
  }

  async function end(which: NodeJS.Signals): Promise<number | null> {
    wanted = false;
    const own = child;
    if (own === null) return null;
    const gone = new Promise<number | null>((resolve) => own.once('exit', resolve));
    signal(which);
    return await gone;
  }

  return {
    name,
    get pid() {
      return child?.pid ?? null;
    },
    get restarts() {
      return restarts;
    },
    start() {
      wanted = true;
      if (child === null) launch();
    },
    ready: () => until(`${name} to be ready; see ${logFile}`, READY_DEADLINE_MS, options.isReady),
    async kill() {
      await end('SIGKILL');
    },
    async stop() {
      const timer = setTimeout(() => signal('SIGKILL'), STOP_DEADLINE_MS);
      try {
        return await end('SIGTERM');
      } finally {
        clearTimeout(timer);
      }
    },
    freeze() {
      signal('SIGSTOP');
    },
    thaw() {
      signal('SIGCONT');
    },
  };
}

const living = new Set<ChildProcess>();

/** A stopped child hears nothing, so the pipe alone would leave it behind. */
function endWithThisProcess(child: ChildProcess): void {
  if (living.size === 0) process.on('exit', killLiving);
  living.add(child);
  child.once('exit', () => {
    living.delete(child);
    if (living.size === 0) process.off('exit', killLiving);
  });
}

function killLiving(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** Whether a GET is answered with 200. */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.status === 200;
}
