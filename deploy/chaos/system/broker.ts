import path from 'node:path';
import { startKafkaCluster } from '../../kafka/cluster.ts';
import { startKafka } from '../../kafka/start-kafka.ts';

export const BUS_KINDS = ['kafka', 'embedded'] as const;
export type BusKind = (typeof BUS_KINDS)[number];

/** The bus under test. The embedded one has no process of its own: it lives in those who have its directory open. */
export interface Broker {
  readonly kind: BusKind;
  readonly url: string;
  /** SIGKILL to the broker's process, if it has one; of several to one of them. */
  kill(): Promise<void>;
  /** Starts it again on the same data and resolves when it answers. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Nothing is judged by it: on a busy machine a Java process needs minutes for what takes it two seconds on a quiet one. */
const START_DEADLINE_MS = 600_000;

const KAFKA = {
  heapMb: 384,
  properties: {
    // A killed broker may register again only when its old session is over; the default of 9 s would be most of the test. Much
    // less, and a busy machine shuts out a broker that lives: one that starts is then never let in.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
  },
  startDeadlineMs: START_DEADLINE_MS,
};

/**
 * Starts a broker on data of its own, or a cluster of several, of which one at a time is killed, in turn.
 * @param brokers how many, of Kafka's
 * @throws KafkaUnavailableError when there is no Kafka to be had on this machine
 */
export async function startBroker(kind: BusKind, directory: string, brokers: number): Promise<Broker> {
  const data = path.join(directory, 'bus');
  const nothing = () => Promise.resolve();
  if (kind === 'embedded') return { kind, url: `lmdb:${data}`, kill: nothing, restart: nothing, stop: nothing };
  const kafka =
    brokers === 1
      ? await startKafka({ ...KAFKA, dir: data }).then((node) => ({ brokers: node.brokers, nodes: [node] }))
      : await startKafkaCluster({ ...KAFKA, dir: data, count: brokers });
  let turn = 0;
  const victim = () => kafka.nodes[turn % kafka.nodes.length]!;
  return {
    kind,
    url: `kafka://${kafka.brokers}`,
    kill: () => victim().kill(),
    async restart() {
      await victim().restart();
      turn++;
    },
    async stop() {
      // Nobody needs the data in order, which takes seconds; what is left for `stop` is to forget the broker.
      await Promise.all(kafka.nodes.map((node) => node.kill()));
      await Promise.all(kafka.nodes.map((node) => node.stop()));
    },
  };
}
