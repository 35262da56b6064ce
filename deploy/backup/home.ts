import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readStartConfig, type StartConfig } from '../embedded/config.ts';
import { takeHome } from '../embedded/home.ts';
import { StartProblem } from '../embedded/problem.ts';
import { ROOT } from '../embedded/supervisor.ts';
import { restoreSnapshot, takeSnapshot, type Manifest } from './snapshot.ts';

/** What a data directory has besides data: the lock is of a process, logs are of the past, the demo is invented. */
const NO_DATA = ['instance.json', 'logs', 'demo'];

/**
 * Copies the stores, the spool and the secrets of an installation that does not run, which no other can start meanwhile.
 * @throws StartProblem when it runs or its stores are servers, SnapshotProblem when the copy can't be made
 */
export async function backUp(environment: Record<string, string | undefined>, target: string): Promise<Manifest> {
  const home = embeddedHome(environment);
  if (!existsSync(join(home, 'registry')))
    throw new StartProblem(
      `There is nothing to back up in ${home}: LANEWATCH_HOME names the data directory of an installation.`,
    );
  const lock = takeHome(home);
  try {
    return await takeSnapshot(home, target, NO_DATA, Date.now());
  } finally {
    lock.release();
  }
}

/**
 * Puts a backup into the data directory, which must be empty; the next start finds it.
 * @throws StartProblem or SnapshotProblem, and then nothing was changed
 */
export async function restore(environment: Record<string, string | undefined>, snapshot: string): Promise<Manifest> {
  return restoreSnapshot(snapshot, embeddedHome(environment));
}

function embeddedHome(environment: Record<string, string | undefined>): string {
  const config = readStartConfig(environment, ROOT);
  const servers = serversOf(config);
  if (servers.length === 0) return config.home;
  throw new StartProblem(
    `${servers.join(' and ')} name${servers.length === 1 ? 's' : ''} a server, and this copies embedded stores only: deploy/backup/README.md says how servers are backed up.`,
  );
}

function serversOf(config: StartConfig): string[] {
  return [
    ...(config.clickhouse === null ? ['CLICKHOUSE_URL'] : []),
    ...(config.databaseUrl.startsWith('pglite:') ? [] : ['DATABASE_URL']),
    ...(config.busUrl.startsWith('lmdb:') ? [] : ['BUS_URL']),
  ];
}
