import { rmSync } from 'node:fs';
import { watchParent } from '../launcher/parent.mjs';
import { fromCaller } from './caller.ts';
import { bootstrap, newSignInUrl } from './control.ts';
import { replaceFile } from './home.ts';
import { StartProblem } from './problem.ts';
import { startInstallation, type Installation } from './supervisor.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { sayWelcome } from './welcome.ts';

/** A Ctrl-C reaches this process once from the terminal and once more through npm; together they are one. */
const SAME_SIGNAL_MS = 1_000;

export interface RunOptions {
  /** Folder inside the home for data that must stay apart; '' for none. */
  subdirectory: string;
  /** Where addresses and secrets are written once everything answers, or undefined. */
  readyFile: string | undefined;
  /** Runs while the installation does; what it returns is told to the person, a throw stops everything. */
  afterStart?: (installation: Installation, terminal: Terminal, quit: AbortSignal) => Promise<void>;
}

/**
 * Starts an installation, says how to use it and keeps it running until a signal, the end of the parent, or a part that can't
 * be kept running. Sets the exit code of the process: 0 after a wanted stop.
 */
export async function runInstallation(options: RunOptions): Promise<void> {
  const terminal = openTerminal();
  const quit = new AbortController();
  const kill = new AbortController();
  const { promise: wanted, resolve: want } = Promise.withResolvers<string>();
  let installation: Installation | undefined;
  let firstSignalAt = 0;
  const stopInOrder = () => {
    if (firstSignalAt !== 0) return;
    firstSignalAt = Date.now();
    terminal.say('\nStopping (Ctrl-C again ends everything at once) …');
    quit.abort();
    want('');
  };
  const onSignal = () => {
    if (firstSignalAt === 0) stopInOrder();
    else if (Date.now() - firstSignalAt > SAME_SIGNAL_MS) {
      kill.abort();
      process.exit(130);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  // A terminal that closes and a parent that ends ask for an end, and nobody is there who would ask for it again.
  process.on('SIGHUP', stopInOrder);
  if (isParentKnown()) watchParent(stopInOrder);

  const readyFile = options.readyFile === undefined ? undefined : fromCaller(options.readyFile);
  let ownsReadyFile = false;
  try {
    installation = await startInstallation({
      environment: process.env,
      subdirectory: options.subdirectory,
      terminal,
      quit: quit.signal,
      kill: kill.signal,
      onHomeTaken() {
        // Not before: until then the file may belong to the instance that has the directory.
        ownsReadyFile = readyFile !== undefined;
        if (readyFile !== undefined) rmSync(readyFile, { force: true });
      },
    });
    const problem = await live(installation, terminal, options, readyFile, quit.signal, wanted);
    if (problem !== '') {
      terminal.complain(problem);
      process.exitCode = 1;
    }
  } catch (error) {
    if (!quit.signal.aborted) {
      terminal.complain(
        error instanceof StartProblem ? error.message : `Lanewatch failed: ${(error as Error).stack ?? String(error)}`,
      );
      process.exitCode = 1;
    }
  } finally {
    if (readyFile !== undefined && ownsReadyFile) rmSync(readyFile, { force: true });
    quit.abort();
    await installation?.stop();
    terminal.say('Stopped.');
  }
  // Timers and sockets of a load that was cut short must not hold the process.
  process.exit();
}

async function live(
  installation: Installation,
  terminal: Terminal,
  options: RunOptions,
  readyFile: string | undefined,
  quit: AbortSignal,
  wanted: Promise<string>,
): Promise<string> {
  const { urls, secrets } = installation;
  const control = { queryApiUrl: urls.queryApi, token: secrets.controlToken };
  const { signInUrl, collectorKey } = await bootstrap(control, readyFile !== undefined);
  if (readyFile !== undefined) {
    const ready = {
      pid: process.pid,
      dashboard_url: urls.dashboard,
      query_api_url: urls.queryApi,
      ingest_url: urls.ingest,
      sign_in_url: signInUrl,
      collector_key: collectorKey,
      clickhouse: installation.clickhouse,
    };
    replaceFile(readyFile, `${JSON.stringify(ready, null, 2)}\n`);
  }
  // Scripts have the file's link for as long as it lasts; a person's use of theirs must not end it.
  const personal = readyFile === undefined ? signInUrl : await newSignInUrl(control);
  sayWelcome(terminal, installation, personal, collectorKey);
  const work = options.afterStart?.(installation, terminal, quit);
  return Promise.race([wanted, installation.failed, ...(work ? [work.then(() => wanted)] : [])]);
}

/**
 * Whether it is certain who the parent is: npm or the launcher. Started from a plain shell with & the parent may end as it likes.
 */
function isParentKnown(): boolean {
  return (
    process.env['npm_lifecycle_event'] !== undefined || process.env['LANEWATCH_LAUNCHER_PID'] === String(process.ppid)
  );
}
