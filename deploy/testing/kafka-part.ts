import { freePort, KafkaUnavailableError, startKafka } from '../kafka/start-kafka.ts';
import { existing, missing } from './part.ts';
import type { Part } from './part.ts';

const IMAGE = 'apache/kafka:4.3.1';
const START_DEADLINE_MS = 120_000;

/** Kafka from KAFKA_BROKERS, else from a container where Docker answers, else from Maven Central. Its address is `host:port,…`. */
export async function kafkaPart(docker: boolean): Promise<Part> {
  const brokers = process.env.KAFKA_BROKERS;
  if (brokers) return existing(brokers, 'from KAFKA_BROKERS');
  if (docker) return kafkaContainer();
  try {
    const kafka = await startKafka({
      onProgress: (line) => {
        console.log(line);
      },
    });
    return { address: kafka.brokers, origin: 'a broker from Maven Central', stop: () => kafka.stop() };
  } catch (error) {
    if (error instanceof KafkaUnavailableError) return missing(error.message);
    throw error;
  }
}

async function kafkaContainer(): Promise<Part> {
  const { GenericContainer, Wait } = await import('testcontainers');
  // A broker tells clients its own address, so the port on this machine has to be known before it starts.
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(START_DEADLINE_MS)
    .start();
  return {
    address: `127.0.0.1:${port}`,
    origin: `testcontainers, ${IMAGE}`,
    stop: async () => {
      await container.stop();
    },
  };
}
