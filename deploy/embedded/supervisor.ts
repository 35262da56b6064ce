import { join } from 'node:path';
import { ChildStartError, startChild, type ChildEvent, type SupervisedChild } from './child.ts';
import { readStartConfig, urlOf, withEndpoints, type StartConfig } from './config.ts';
import { engineSupport } from './clickhouse/support.ts';
import { ensureSecrets, takeHome, type Secrets } from './home.ts';
import { settlePorts } from './ports.ts';
import { StartProblem } from './problem.ts';
import { serviceStages } from './services.ts';
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
  /** Ends every process at once. */
  kill(): void;
}

/** What a process gets to finish after SIGTERM. The longest is the detector's own limit of 15 s. */
const STOP_DEADLINE_MS = 18_000;

export const ROOT = join(import.meta.dirname, '..', '..');

/**
 * Starts every process of an installation, in order, and keeps them running.
 * @param environment usually process.env
 * @param subdirectory folder inside the home, '' for none
 * @param quit aborted when the person wants to stop while it is still starting
 * @throws StartProblem with one sentence when it can't
 */
export async function startInstallation(
  environment: Record<string, string | undefined>,
  subdirectory: string,
  terminal: Terminal,
  quit: AbortSignal,
): Promise<Installation> {
  const wanted = readStartConfig(environment, ROOT, subdirectory);
  if (wanted.clickhouse) {
    const support = engineSupport();
    if (!support.supported) throw new StartProblem(support.reason);
  }
  const home = takeHome(wanted.home);
  const running: SupervisedChild[][] = [];
  const stop = async () => {
    for (const stage of running.splice(0).reverse()) {
      await Promise.all(stage.map((child) => child.stop(STOP_DEADLINE_MS)));
    }
    home.release();
  };
  try {
    const config = await withPorts(wanted);
    const secrets = ensureSecrets(config.home);
    const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
    const logs = join(config.home, 'logs');
    terminal.say(`Starting Lanewatch (data in ${config.home})`);
    for (const specs of serviceStages(config, secrets, ROOT)) {
      const stage: SupervisedChild[] = [];
      running.push(stage);
      // All settle before a failure is passed on, so that none is started and forgotten.
      const results = await Promise.allSettled(
        specs.map((spec) =>
          terminal.step(titleOf(spec.name, spec.readyUrl), async () => {
            const child = await startChild(spec, logs, (event) => {
              report(
                terminal,
                spec.name,
                event,
                logs,
                () => stage.find(({ name }) => name === spec.name)?.log.lastLines() ?? [],
                fail,
              );
            });
            stage.push(child);
          }),
        ),
      );
      for (const result of results) if (result.status === 'rejected') throw result.reason;
      quit.throwIfAborted();
    }
    const urls = { dashboard: urlOf(config.dashboard), queryApi: urlOf(config.queryApi), ingest: urlOf(config.ingest) };
    home.describe({ dashboard_url: urls.dashboard, query_api_url: urls.queryApi, ingest_url: urls.ingest });
    const server = config.clickhouseServer;
    return {
      config,
      secrets,
      urls,
      clickhouse: server
        ? { url: server.url, user: server.analystUser, password: server.analystPassword }
        : { url: urlOf(config.clickhouse!), user: 'analyst', password: secrets.clickhouseAnalystPassword },
      failed,
      stop,
      kill() {
        for (const child of running.flat()) child.kill();
        home.release();
      },
    };
  } catch (error) {
    await stop();
    if (error instanceof ChildStartError)
      throw new StartProblem(failureText(error.message, error.log.lastLines(), error.log.path));
    throw error;
  }
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
  name: string,
  event: ChildEvent,
  logs: string,
  lastLines: () => string[],
  fail: (sentence: string) => void,
): void {
  const log = join(logs, `${name}.log`);
  switch (event.kind) {
    case 'ended':
      terminal.complain(`${name} ${event.how}; starting it again in ${event.restartInMs / 1000} s (log: ${log})`);
      break;
    case 'back':
      terminal.complain(`${name} is back after ${(event.afterMs / 1000).toFixed(1)} s`);
      break;
    case 'silent':
      terminal.complain(`${name} has not answered for a minute; replacing it (log: ${log})`);
      break;
    case 'gaveUp':
      fail(failureText(`${name} keeps failing (${event.how})`, lastLines(), log));
  }
}

function failureText(what: string, lines: string[], log: string): string {
  const quoted = lines.map((line) => `    ${line}`).join('\n');
  return `${what}.${quoted === '' ? '' : ` Its last lines:\n${quoted}`}\nThe whole log is in ${log}.`;
}
