import path from 'node:path';
import { parseArgs } from 'node:util';
import { fromCaller } from '../embedded/caller.ts';
import { settlePorts } from '../embedded/ports.ts';
import { KafkaUnavailableError, startKafka } from './start-kafka.ts';

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new KafkaUnavailableError(`${name} must be a whole number from 1 to ${max}, not "${text}".`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: process.env.KAFKA_PORT ?? '9092' },
      dir: { type: 'string', default: process.env.KAFKA_DIR ?? path.join(import.meta.dirname, '.data') },
      'heap-mb': { type: 'string', default: process.env.KAFKA_HEAP_MB ?? '512' },
    },
  });
  const dir = fromCaller(values.dir);
  const port = wholeNumber('--port', values.port, 65_535);
  // A broker of somebody else on the port would answer as if it were the one that is about to be started.
  await settlePorts([{ title: 'Kafka broker', endpoint: { host: '127.0.0.1', port, variable: 'KAFKA_PORT' } }]);
  // A broker that still starts is killed at exit.
  let stop = (): void => process.exit(130);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop());
  const kafka = await startKafka({
    dir,
    port,
    heapMb: wholeNumber('--heap-mb', values['heap-mb'], 1_048_576),
    onProgress: (line) => {
      console.log(line);
    },
  });
  console.log(`Kafka answers on ${kafka.brokers} (pid ${kafka.pid}, data in ${dir}). Ctrl-C stops it.`);
  let stopping = false;
  stop = () => {
    if (stopping) return;
    stopping = true;
    console.log('Stopping Kafka');
    void kafka.stop().then(() => process.exit(0));
  };
  void kafka.ended().then((lastLines) => {
    if (stopping) return;
    console.error(`Kafka ended by itself; the end of its log in ${dir}:\n${lastLines}`);
    process.exit(1);
  });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
