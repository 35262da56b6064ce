/** What is not in the URL. All of it is optional; each adapter takes what concerns it. */
export interface OpenBusOptions {
  /** Name under which the brokers see this process. Default `lanewatch`. */
  clientId?: string;
  /** How long `publish` tries before it gives up with BusUnavailableError. Default 10,000. */
  publishTimeoutMs?: number;
  /** A Kafka subscription that has records to read and gets none for this long is restarted. Default 15,000. */
  stallTimeoutMs?: number;
  /** Replicas of topics that `ensureTopics` creates on Kafka; -1 is the broker's own default. Default -1. */
  replicationFactor?: number;
  /** Records older than this are removed. Default 7 days embedded; a topic that is made on Kafka has the broker's own without it. */
  retentionMs?: number;
  /** Embedded: the oldest records are removed beyond this size. Default 8 GiB. */
  retentionBytes?: number;
  /** Embedded: the most the log file may grow to. Default 64 GiB of address space, which takes no disk before it is used. */
  mapSizeBytes?: number;
  /** Hears what the client libraries would log; of errors and warnings that repeat, one in half a minute with `left_out` in its details. */
  onLog?: (level: 'error' | 'warn' | 'info' | 'debug', message: string, details: Record<string, unknown>) => void;
}

export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

/** A parsed `kafka://` URL. */
export interface KafkaConnection {
  brokers: string[];
  ssl: boolean;
  /** File with the authority that signed the brokers' certificates, when the system does not know it. */
  caFile?: string;
  sasl?: { mechanism: SaslMechanism; username: string; password: string };
}
