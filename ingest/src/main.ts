import { writeSync } from 'node:fs';
import { type DestinationStream, pino } from 'pino';
import { retentionOf } from '../contract/settings.ts';
import { openBus } from './bus/open.ts';
import { type Config, ConfigError, describeConfig, loadConfig } from './config.ts';
import { startIngest } from './ingest.ts';

/** How long a shutdown may take before the process ends anyway; what is unanswered then will be sent again. */
const SHUTDOWN_MS = 20_000;

const HELP = `ingest: takes usage events and puts them on the bus

  node ingest/src/main.ts [--check-config] [--help]

  --check-config   read the configuration, say what is wrong with it, and end
  --help           this text

Configuration, from environment variables:
${describeConfig()}`;

function configOrExit(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

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

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(HELP);
    return;
  }
  const config = configOrExit();
  if (process.argv.includes('--check-config')) {
    console.log('The configuration is valid.');
    return;
  }
  const log = pino({ level: config.logLevel, base: { service: 'ingest', instance: config.instance } }, logDestination);
  const bus = await openBus(config.busUrl, {
    clientId: `lanewatch-ingest-${config.instance}`,
    publishTimeoutMs: config.publishTimeoutMs,
    ...retentionOf(config.busRetentionMs),
    onLog: (level, message, details) => log[level](details, message),
  });
  const ingest = await startIngest(config, bus, log);
  log.info({ url: ingest.url, grpc_port: ingest.grpcPort }, 'ingest listens');
  ingest.ready.then(
    () => log.info('ingest takes events'),
    () => undefined,
  );

  const shutDown = (signal: string) => {
    log.info({ signal }, 'ingest stops');
    setTimeout(() => {
      log.error('stopping took too long');
      process.exit(1);
    }, SHUTDOWN_MS).unref();
    ingest.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error: String(error) }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', shutDown).once('SIGINT', shutDown);
}

main().catch((error: unknown) => {
  const { code, message } = error as { code?: string; message?: string };
  console.error(
    code === 'EADDRINUSE'
      ? `ingest cannot listen: the port is taken. Set INGEST_PORT to another one. (${message ?? ''})`
      : `ingest cannot start: ${message ?? String(error)}`,
  );
  process.exit(1);
});
