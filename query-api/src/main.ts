import { writeSync } from 'node:fs';
import { openBus, retentionOf } from '@lanewatch/ingest/contract';
import { type DestinationStream, pino } from 'pino';
import { openClickHouse } from './clickhouse.ts';
import { ConfigError, configHelp, loadConfig } from './config.ts';
import type { Config } from './config.ts';
import { openDatabase } from './registry/database.ts';
import { RegistryUnusableError } from './registry/unusable.ts';
import { createServer } from './server.ts';
import { startServices } from './services/services.ts';

/** Longer than any request may take to end; after that a hung connection is not waited for. */
const SHUTDOWN_MS = 10_000;

/**
 * Standard output. A line that a full disk does not take is lost: pino's own destination would end the service by an error that
 * nobody handles, or try for ever to write the rest when the service is told to stop.
 */
const logDestination: DestinationStream = {
  write(line) {
    try {
      writeSync(1, line);
    } catch {
      // There is nowhere to say so.
    }
  },
};

async function serve(config: Config): Promise<void> {
  const logger = pino(
    {
      name: 'query-api',
      level: config.logLevel,
      redact: {
        paths: [
          'req.headers',
          'secret',
          '*.secret',
          'link',
          '*.link',
          'authorization',
          '*.authorization',
          'cookie',
          '*.cookie',
        ],
        censor: '[redacted]',
      },
    },
    logDestination,
  );
  const database = await openDatabase(config.databaseUrl, (error) =>
    logger.warn({ err: error }, 'a registry connection broke'),
  );
  const store = openClickHouse(config.clickhouse);
  const bus = await openBus(config.busUrl, {
    clientId: 'lanewatch-query-api',
    ...retentionOf(config.busRetentionMs),
    onLog: (level, message, details) => logger[level](details, message),
  });
  const services = await startServices({ config, logger, store, database, bus });
  const app = await createServer(services, logger);
  await app.listen({ host: config.host, port: config.port });

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
    void (async () => {
      await app.close();
      await services.close();
      await Promise.allSettled([bus.close(), store.close(), database.close()]);
      process.exit(0);
    })().catch((error: unknown) => {
      logger.error({ err: error }, 'stopping failed');
      process.exit(1);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function configOrExit(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

if (process.argv.includes('--help')) {
  console.log(configHelp());
} else {
  const config = configOrExit();
  if (process.argv.includes('--check-config')) console.log('The configuration of query-api can be used.');
  else {
    await serve(config).catch((error: unknown) => {
      if (!(error instanceof RegistryUnusableError)) throw error;
      console.error(error.message);
      process.exit(1);
    });
  }
}
