import { CONFIG_HELP, ConfigError, readConfig } from './config.ts';
import type { Config } from './config.ts';
import { EngineOpenError } from './engine.ts';
import { startServer } from './server.ts';
import { engineSupport } from './support.ts';

/** Threads beside the ones that run queries: name look-ups, compression, stopping a query while all others run. */
const SPARE_THREADS = 8;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/**
 * libuv reads the size of its thread pool once, before the first file is read, and Node reads this one. So the process
 * starts itself anew, under the same process id, when the environment does not have the size yet.
 */
function ensureThreads(config: Config): void {
  const wanted = String(config.concurrentQueries + SPARE_THREADS);
  if (process.env['UV_THREADPOOL_SIZE'] === wanted) return;
  if (process.execve === undefined)
    fail('This Node has no process.execve: set UV_THREADPOOL_SIZE=' + wanted + ' yourself.');
  const [, ...rest] = process.argv;
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...rest], {
    ...process.env,
    UV_THREADPOOL_SIZE: wanted,
  });
}

async function main(): Promise<void> {
  // The engine makes its files for everybody who may log in here, and there is the whole ledger in them.
  process.umask(0o077);
  const flags = new Set(process.argv.slice(2));
  if (flags.has('--help')) {
    process.stdout.write(CONFIG_HELP);
    return;
  }
  let config: Config;
  try {
    config = readConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message);
    throw error;
  }
  if (flags.has('--check-config')) {
    process.stdout.write('The configuration is valid.\n');
    return;
  }
  const support = engineSupport();
  if (!support.supported) fail(support.reason);
  ensureThreads(config);

  let server;
  try {
    server = await startServer(config);
  } catch (error) {
    if (error instanceof EngineOpenError) fail(error.message);
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      fail(`Port ${String(config.port)} on ${config.host} is taken: stop what uses it, or set CLICKHOUSE_PORT.`);
    }
    throw error;
  }

  let closing = false;
  const close = async (): Promise<void> => {
    if (closing) return;
    closing = true;
    if (await server.close()) process.exit(0);
    console.error('A query could not be stopped in time: ending without it.');
    // An exit waits for the engine's threads, and one that still writes an answer waits for this process to read it.
    process.kill(process.pid, 'SIGKILL');
  };
  process.on('SIGTERM', () => void close());
  process.on('SIGINT', () => void close());
  if (flags.has('--follow-stdin')) process.stdin.resume().on('end', () => void close());
  // console and not process.stdout, which ends the process when it is a file on a full disk.
  console.log(JSON.stringify({ listening: server.url }));
}

await main();
