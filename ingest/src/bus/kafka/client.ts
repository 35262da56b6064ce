/** The only file that imports kafkajs (2.2.4, no longer maintained; repaired in kafkajs-patches.ts), so that it can be replaced. */
import './kafkajs-patches.ts';
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';
import type { Admin, Consumer, EachBatchPayload, Kafka, Message, Producer, ProducerConfig, SASLOptions } from 'kafkajs';
import snappy from 'kafkajs-snappy';
import type { KafkaConnection, OpenBusOptions } from '../options.ts';
import { lz4Codec, zstdCodec } from './codecs.ts';

export type { Admin, Consumer, EachBatchPayload, Kafka, Message, Producer, ProducerConfig };

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.Snappy] = snappy;
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = lz4Codec;
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = zstdCodec;

/** Codec numbers of Kafka's record batches. */
export const COMPRESSION = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

const LEVELS = { 1: 'error', 2: 'warn', 4: 'info', 5: 'debug' } as const;

/** A kafkajs client for a cluster. Its log goes to `options.onLog` and nowhere else. */
export function createKafka(connection: KafkaConnection, options: OpenBusOptions, requestTimeoutMs: number): Kafka {
  return new kafkajs.Kafka({
    clientId: options.clientId ?? 'lanewatch',
    brokers: connection.brokers,
    ssl: tlsOf(connection),
    ...(connection.sasl ? { sasl: connection.sasl as SASLOptions } : {}),
    connectionTimeout: 3_000,
    requestTimeout: requestTimeoutMs,
    logLevel: options.onLog ? kafkajs.logLevel.INFO : kafkajs.logLevel.NOTHING,
    logCreator:
      () =>
      ({ level, namespace, log }) => {
        const { message, timestamp: _timestamp, logger: _logger, ...details } = log;
        if (level !== kafkajs.logLevel.NOTHING)
          options.onLog?.(LEVELS[level], `kafkajs ${namespace}: ${message}`, details);
      },
  });
}

/** @throws Error when the authority's certificate can't be read */
function tlsOf({ ssl, caFile }: KafkaConnection): boolean | { ca: string[] } {
  if (!ssl || caFile === undefined) return ssl;
  try {
    return { ca: [readFileSync(caFile, 'utf8')] };
  } catch (error) {
    throw new Error(`The certificate that ca names in the kafka:// URL can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * kafkajs passes over records for a partition that it does not know, and says that all were sent. Thrown where it asks for the partition;
 * the type makes it ask the cluster again, as it does when a broker says so.
 */
class UnknownPartitionError extends Error {
  readonly type = 'UNKNOWN_TOPIC_OR_PARTITION';
  readonly retriable = false;
}

export function isUnknownPartition(error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof UnknownPartitionError);
}

/**
 * A producer that takes the partition from each message: ours is computed a hundred times faster than kafkajs' own. What it throws
 * for a partition that it does not know is told by {@link isUnknownPartition}.
 */
export function createProducer(kafka: Kafka, config: ProducerConfig): Producer {
  return kafka.producer({
    ...config,
    createPartitioner:
      () =>
      ({ topic, partitionMetadata, message }) => {
        const partition = message.partition ?? 0;
        if (partition < partitionMetadata.length) return partition;
        throw new UnknownPartitionError(`kafkajs knows ${partitionMetadata.length} partitions of ${topic}`);
      },
  });
}

/** Whether kafkajs says that another attempt may succeed. */
export function isRetriable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded) return true;
  return (error as Error & { retriable?: boolean }).retriable === true;
}

/** The broker's name for what went wrong (such as MESSAGE_TOO_LARGE), looked up through the causes; '' when it gave none. */
export function brokerErrorType(error: unknown): string {
  for (const cause of causesOf(error)) if ('type' in cause && typeof cause.type === 'string') return cause.type;
  return '';
}

/** The error and what it was caused by, as deep as kafkajs wraps. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let current = error; current instanceof Error && causes.length < 8; current = current.cause)
    causes.push(current);
  return causes;
}
