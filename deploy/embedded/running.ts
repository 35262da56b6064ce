import type { SqlConnection } from '@lanewatch/query-api/contract';
import { readStartConfig } from './config.ts';
import type { Control } from './control.ts';
import { readSecret, runningInstance } from './home.ts';
import { StartProblem } from './problem.ts';
import { ROOT } from './supervisor.ts';

/**
 * The installation that runs in the data directory, or in the demo's when only that one runs.
 * @throws StartProblem when neither does
 */
function findRunning(environment: Record<string, string | undefined>) {
  const configs = ['', 'demo'].map((subdirectory) => readStartConfig(environment, ROOT, subdirectory));
  for (const config of configs) {
    const instance = runningInstance(config.home);
    const token = readSecret(config.home, 'control-token');
    if (instance === null || token === null) continue;
    if (instance.query_api_url === '')
      throw new StartProblem('Lanewatch is still starting: try again when it has printed its sign-in link.');
    return { config, instance, token };
  }
  throw new StartProblem(
    `Lanewatch does not run with the data directory ${configs[0]?.home ?? ''}: start it with npm start, or name another directory with LANEWATCH_HOME.`,
  );
}

/** How to reach the control interface of the installation that runs. @throws StartProblem when none does */
export function controlOfRunning(environment: Record<string, string | undefined>): {
  control: Control;
  ingestUrl: string;
} {
  const { instance, token } = findRunning(environment);
  return { control: { queryApiUrl: instance.query_api_url, token }, ingestUrl: instance.ingest_url };
}

/**
 * How analysts' tools reach the engine of the installation that runs.
 * @throws StartProblem when none does, or when its server was named without a user that may only read
 */
export function analystOfRunning(
  environment: Record<string, string | undefined>,
): SqlConnection & { password: string } {
  const { config, instance } = findRunning(environment);
  const { clickhouseServer: server, clickhouseDatabase: database, home } = config;
  const user = server?.analystUser ?? 'analyst';
  const password = server?.analystPassword ?? readSecret(home, 'clickhouse-analyst-password');
  if (password === null || user === server?.user)
    throw new StartProblem(
      'This installation has no user that may only read: name one with CLICKHOUSE_ANALYST_USER and CLICKHOUSE_ANALYST_PASSWORD, when it starts and here.',
    );
  return { url: instance.clickhouse_url, user, database, password };
}
