import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../kafka/start-kafka.ts';
import { removeDir, until } from './helpers.ts';
import { existing, missing } from './part.ts';
import type { Part } from './part.ts';

const run = promisify(execFile);
const IMAGE = 'postgres:17-alpine';
/** Where Debian keeps the servers of each version; on other systems they are looked for in PATH. */
const DEBIAN_HOME = '/usr/lib/postgresql';
const START_DEADLINE_MS = 60_000;

/**
 * Postgres from POSTGRES_URL, else from a container where Docker answers, else a server of this machine on a temporary cluster of
 * its own (installed from apt first where we are root on Debian). Without any, tests fall back to PGlite by themselves.
 * Its address is a `postgres://` URL of a superuser.
 */
export async function postgresPart(docker: boolean): Promise<Part> {
  const url = process.env.POSTGRES_URL;
  if (url) return existing(url, 'from POSTGRES_URL');
  if (docker) return postgresContainer();
  let binaries = await serverBinaries();
  let origin = 'a server of this machine on a temporary cluster';
  if (!binaries && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.log('Installing Postgres from apt (once)');
    try {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      await run('apt-get', ['update', '-qq'], { env });
      await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql'], { env });
    } catch (error) {
      return missing(
        `apt-get could not install Postgres (${error instanceof Error ? error.message.split('\n')[0] : ''}); PGlite instead`,
      );
    }
    binaries = await serverBinaries();
    origin = 'a server from apt on a temporary cluster';
  }
  if (!binaries) return missing('no server and no Docker here; PGlite instead');
  return postgresCluster(binaries, origin);
}

async function serverBinaries(): Promise<string | null> {
  if (existsSync(DEBIAN_HOME)) {
    const versions = readdirSync(DEBIAN_HOME).sort((left, right) => Number(right) - Number(left));
    const found = versions
      .map((version) => path.join(DEBIAN_HOME, version, 'bin'))
      .find((bin) => existsSync(path.join(bin, 'initdb')));
    if (found) return found;
  }
  try {
    const { stdout } = await run('pg_config', ['--bindir']);
    return existsSync(path.join(stdout.trim(), 'initdb')) ? stdout.trim() : null;
  } catch {
    return null;
  }
}

/** Postgres refuses to run as root; as root we hand the cluster to the user that the package made. */
async function serverUser(): Promise<{ uid: number; gid: number } | Record<string, never>> {
  if (process.getuid?.() !== 0) return {};
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((entry) => entry.startsWith('postgres:'));
  const [, , uid, gid] = (line ?? '').split(':').map(Number);
  if (!uid || !gid) throw new Error('There is no user postgres to run the server as.');
  return { uid, gid };
}

async function postgresCluster(binaries: string, origin: string): Promise<Part> {
  const user = await serverUser();
  const home = await mkdtemp(path.join(os.tmpdir(), 'lanewatch-postgres-'));
  if ('uid' in user) await chown(home, user.uid!, user.gid!);
  await chmod(home, 0o700);
  const data = path.join(home, 'data');
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  try {
    await run(
      path.join(binaries, 'initdb'),
      ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--no-sync'],
      {
        ...user,
        env,
        cwd: home,
      },
    );
  } catch (error) {
    await removeDir(home);
    throw error;
  }
  const port = await freePort();
  // Nothing of it outlives the run, so it need not survive a power cut.
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200'];
  const server = spawn(
    path.join(binaries, 'postgres'),
    ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', home, ...settings.flatMap((setting) => ['-c', setting])],
    { ...user, env, cwd: home, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4_000)));
  const ended = new Promise<void>((resolve) =>
    server.once('exit', () => {
      resolve();
    }),
  );
  const killOnExit = () => server.kill('SIGQUIT');
  process.on('exit', killOnExit);
  const stop = async () => {
    process.off('exit', killOnExit);
    server.kill('SIGQUIT');
    if (server.exitCode === null && server.signalCode === null) await ended;
    await removeDir(home);
  };
  try {
    await until(
      async () => {
        if (server.exitCode !== null) return 'ended';
        await run(path.join(binaries, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port), '-q']);
        return 'ready';
      },
      START_DEADLINE_MS,
      'Postgres to accept connections',
    );
    if (server.exitCode !== null) throw new Error('it ended while starting');
  } catch (error) {
    await stop();
    throw new Error(`Postgres did not start: ${error instanceof Error ? error.message : ''}\n${log}`, { cause: error });
  }
  return { address: `postgres://postgres@127.0.0.1:${port}/postgres`, origin, stop };
}

async function postgresContainer(): Promise<Part> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts(5432)
    .withEnvironment({ POSTGRES_HOST_AUTH_METHOD: 'trust' })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'max_connections=200'])
    // The image starts the server once to prepare it and then again for good.
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .withStartupTimeout(START_DEADLINE_MS)
    .start();
  return {
    address: `postgres://postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    origin: `testcontainers, ${IMAGE}`,
    stop: async () => {
      await container.stop();
    },
  };
}
