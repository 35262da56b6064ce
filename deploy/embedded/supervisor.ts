import { join } from 'node:path';
import { ChildStartError, startChild, type ChildEvent, type SupervisedChild } from './child.ts';
import { readStartConfig, urlOf, withEndpoints, type StartConfig } from './config.ts';
import { engineSupport } from './clickhouse/support.ts';
import { ensureSecrets, takeHome, type Secrets } from './home.ts';
import { settlePorts } from './ports.ts';
import { StartProblem } from './problem.ts';
import { serviceStages } from './services.ts';
import { STOP_DEADLINE_MS } from './stop-deadline.ts';
import type { Terminal } from './terminal.ts';

/** A running installation. */
export interface Installation {
  config: StartConfig;
  secrets: Secrets;
  urls: { dashboard: string; queryApi: string; ingest: string };
  clickhouse: { url: string; user: string; password: string };
  /** Resolves with a sentence when a part can't be kept running. */
  failed: Promise<string>;
  /** Stops everything in reverse order of starting. */
  stop(): Promise<void>;
}

/** How often it is made sure that the data directory is still there. */
const HOME_POLL_MS = 1_000;

export const ROOT = join(import.meta.dirname, '..', '..');

export interface StartOptions {
  /** Usually process.env. */
  environment: Record<string, string | undefined>;
  /** Folder inside the home, '' for none. */
  subdirectory: string;
  /** Services that are not started, by name. */
  without?: readonly string[];
  terminal: Terminal;
  /** Aborted when the person wants to stop while it is still starting. */
  quit: AbortSignal;
  /** Aborted when nobody wants to wait for an orderly end, whether it starts, runs or stops: every process is killed before the abort returns. */
  kill: AbortSignal;
  /** Called once the data directory belongs to this process, before anything starts. */
  onHomeTaken: () => void;
}

/**
 * Starts every process of an installation, in order, and keeps them running.
 * @throws StartProblem with one sentence when it can't; the reason of `quit` when that came first. Nothing runs then.
 */
export async function startInstallation(options: StartOptions): Promise<Installation> {
  const { terminal, quit } = options;
  const wanted = readStartConfig(options.environment, ROOT, options.subdirectory);
  if (wanted.clickhouse) {
    const support = engineSupport();
    if (!support.supported) throw new StartProblem(support.reason);
  }
  const home = takeHome(wanted.home);
  const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
  // Processes go on writing into files that have no name any more, and everything acknowledged since would be gone at the end.
  const watch = setInterval(() => {
    if (!home.isHeld()) fail(homeGone(wanted.home));
  }, HOME_POLL_MS);
  const stages: SupervisedChild[][] = [];
  options.kill.addEventListener('abort', () => {
    for (const child of stages.flat()) child.kill();
    home.release();
  });
  const stop = async () => {
    clearInterval(watch);
    for (const stage of stages.toReversed()) {
      await Promise.all(stage.map((child) => child.stop(STOP_DEADLINE_MS)));
    }
    home.release();
  };
  try {
    options.onHomeTaken();
    const config = await withPorts(wanted);
    const secrets = ensureSecrets(config.home);
    const logs = join(config.home, 'logs');
    terminal.say(`Starting Lanewatch (data in ${config.home})`);
    for (const specs of serviceStages(config, secrets, ROOT)) {
      quit.throwIfAborted();
      const wantedSpecs = specs.filter(({ name }) => options.without?.includes(name) !== true);
      const stage = wantedSpecs.map((spec) => {
        const child = startChild(spec, logs, (event) => {
          report(terminal, child, event, fail);
        });
        return { child, title: titleOf(spec.name, spec.readyUrl) };
      });
      stages.push(stage.map(({ child }) => child));
      const ready = stage.map(({ child, title }) => terminal.step(title, () => child.ready));
      // The first failure, or a Ctrl-C, ends the wait for the others, which are stopped below.
      await Promise.race([Promise.all(ready), rejectedBy(quit)]);
    }
    const urls = { dashboard: urlOf(config.dashboard), queryApi: urlOf(config.queryApi), ingest: urlOf(config.ingest) };
    const server = config.clickhouseServer;
    const clickhouse = server
      ? { url: server.url, user: server.analystUser, password: server.analystPassword }
      : { url: urlOf(config.clickhouse!), user: 'analyst', password: secrets.clickhouseAnalystPassword };
    home.describe({
      ...{ dashboard_url: urls.dashboard, query_api_url: urls.queryApi, ingest_url: urls.ingest },
      clickhouse_url: clickhouse.url,
    });
    return {
      ...{ config, secrets, urls, clickhouse },
      failed,
      stop,
    };
  } catch (error) {
    await stop();
    if (error instanceof ChildStartError)
      throw new StartProblem(failureText(error.message, error.lastLines, error.logPath));
    throw error;
  }
}

function homeGone(home: string): string {
  return `The data directory ${home} was moved or removed while Lanewatch ran: stopping, so that no more events are taken that nobody keeps. Put it back and start again, or start again with an empty one.`;
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

const TITLES: Record<string, string> = {
  clickhouse: 'ClickHouse (embedded)',
  detector: 'detector',
  'query-api': 'query-api',
  ingest: 'ingest',
  dashboard: 'dashboard',
};

function titleOf(name: string, url: string): string {
  return `${(TITLES[name] ?? name).padEnd(22)} ${new URL(url).host}`;
}

async function withPorts(config: StartConfig): Promise<StartConfig> {
  const [dashboard, queryApi, ingest, detector, clickhouse] = await settlePorts([
    { title: 'dashboard', endpoint: config.dashboard },
    { title: 'query-api', endpoint: config.queryApi },
    { title: 'ingest', endpoint: config.ingest },
    { title: "detector's health", endpoint: config.detector },
    ...(config.clickhouse ? [{ title: 'embedded ClickHouse', endpoint: config.clickhouse }] : []),
  ]);
  return withEndpoints(config, {
    dashboard: dashboard!,
    queryApi: queryApi!,
    ingest: ingest!,
    detector: detector!,
    clickhouse: clickhouse ?? null,
  });
}

function report(
  terminal: Terminal,
  { name, log }: SupervisedChild,
  event: ChildEvent,
  fail: (sentence: string) => void,
): void {
  switch (event.kind) {
    case 'ended':
      terminal.complain(`${name} ${event.how}; starting it again in ${event.restartInMs / 1000} s (log: ${log.path})`);
      break;
    case 'back':
      terminal.complain(`${name} is back after ${(event.afterMs / 1000).toFixed(1)} s`);
      break;
    case 'silent':
      terminal.complain(`${name} has not answered for a minute; replacing it (log: ${log.path})`);
      break;
    case 'gaveUp':
      fail(failureText(`${name} keeps failing (${event.how})`, log.lastLines(), log.path));
  }
}

function failureText(what: string, lines: string[], log: string): string {
  const quoted = lines.map((line) => `    ${line}`).join('\n');
  return `${what}.${quoted === '' ? '' : ` Its last lines:\n${quoted}`}\nThe whole log is in ${log}.`;
}
