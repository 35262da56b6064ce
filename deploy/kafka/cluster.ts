import path from 'node:path';
import { kafkaClassPath } from './libraries.ts';
import { freePort, newClusterId, startKafka, type KafkaServer, type StartKafkaOptions } from './start-kafka.ts';

/** Brokers on loopback that are one cluster: each holds every partition, and what was acknowledged outlives any one of them. */
export interface KafkaCluster {
  /** `host:port` of each, separated by commas, for KAFKA_BROKERS. */
  readonly brokers: string;
  readonly nodes: readonly KafkaServer[];
}

/**
 * Starts so many brokers, each a controller as well; resolves when all of them answer requests. Stopping them is the caller's.
 * @param options.dir where they keep their data, a folder each
 * @param options.count three or more: with one down the others still have to be most of them
 * @throws KafkaUnavailableError when Java or Maven are missing or a broker ends at once
 */
export async function startKafkaCluster(
  options: Pick<StartKafkaOptions, 'heapMb' | 'properties' | 'startDeadlineMs'> & { dir: string; count: number },
): Promise<KafkaCluster> {
  const { dir, count, properties, ...rest } = options;
  // Once, before all of them would fetch it.
  await kafkaClassPath();
  const id = newClusterId();
  const controllerPorts = await Promise.all(Array.from({ length: count }, () => freePort()));
  const voters = controllerPorts.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
  // At once: none of them answers before most of them run.
  const starts = await Promise.allSettled(
    controllerPorts.map((controllerPort, index) =>
      startKafka({
        ...rest,
        dir: path.join(dir, `broker-${index + 1}`),
        cluster: { id, controllerPort },
        properties: {
          'node.id': index + 1,
          'controller.quorum.voters': voters,
          'default.replication.factor': count,
          'min.insync.replicas': count - 1,
          'offsets.topic.replication.factor': count,
          'transaction.state.log.replication.factor': count,
          'transaction.state.log.min.isr': count - 1,
          ...properties,
        },
      }),
    ),
  );
  const nodes = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(nodes.map((node) => node.kill()));
    throw failed.reason;
  }
  return { brokers: nodes.map(({ brokers }) => brokers).join(','), nodes };
}
