import { readStartConfig } from './config.ts';
import type { Control } from './control.ts';
import { readSecret, runningInstance } from './home.ts';
import { StartProblem } from './problem.ts';
import { ROOT } from './supervisor.ts';

/**
 * How to reach the installation that runs in the data directory, or in the demo's when only that one runs.
 * @throws StartProblem when neither does
 */
export function controlOfRunning(environment: Record<string, string | undefined>): {
  control: Control;
  ingestUrl: string;
} {
  const homes = ['', 'demo'].map((subdirectory) => readStartConfig(environment, ROOT, subdirectory).home);
  for (const home of homes) {
    const instance = runningInstance(home);
    const token = readSecret(home, 'control-token');
    if (instance === null || token === null) continue;
    if (instance.query_api_url === '')
      throw new StartProblem('Lanewatch is still starting: try again when it has printed its sign-in link.');
    return { control: { queryApiUrl: instance.query_api_url, token }, ingestUrl: instance.ingest_url };
  }
  throw new StartProblem(
    `Lanewatch does not run with the data directory ${homes[0] ?? ''}: start it with npm start, or name another directory with LANEWATCH_HOME.`,
  );
}
