import type { ClickHouseClient } from '@clickhouse/client';
import { USAGE_COLUMNS } from '@lanewatch/ingest/contract';
import { numberOf } from './visible-rows.ts';

const INTEGER_COLUMNS: Partial<Record<(typeof USAGE_COLUMNS)[number], string>> = {
  time: 'UInt64',
  received_at: 'UInt64',
  status_code: 'UInt16',
  tokens_input_uncached: 'UInt64',
  tokens_cache_read: 'UInt64',
  tokens_cache_write: 'UInt64',
  tokens_output: 'UInt64',
  cost_nano_usd: 'UInt64',
  latency_ms: 'UInt32',
};
const HIGH_CARDINALITY = new Set<string>(['id', 'request_id']);

function typeOf(column: (typeof USAGE_COLUMNS)[number]): string {
  if (column === 'flags') return 'Array(LowCardinality(String))';
  return INTEGER_COLUMNS[column] ?? (HIGH_CARDINALITY.has(column) ? 'String' : 'LowCardinality(String)');
}

export interface KafkaEngineOptions {
  client: ClickHouseClient;
  database: string;
  brokers: string;
  topic: string;
  group: string;
  consumers: number;
  /** Partitions of the topic. */
  partitions: number;
}

export interface KafkaEngine {
  table: string;
  /** Whether its consumers hold all partitions. */
  isAssigned(): Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * The peer: ClickHouse's own Kafka engine reading the same positional rows into a MergeTree of the same columns and order,
 * without detection, deduplication, fence or roll-up. Creating the view starts it.
 */
export async function startKafkaEngine(options: KafkaEngineOptions): Promise<KafkaEngine> {
  const { client, database } = options;
  const columns = USAGE_COLUMNS.map((column) => `\`${column}\` ${typeOf(column)}`).join(', ');
  // Plain strings where rows are parsed: a dictionary per message and column would slow the peer down several times.
  const parsed = columns.replaceAll('LowCardinality(String)', 'String');
  const run = (query: string) => client.command({ query });
  await run(`CREATE DATABASE ${database}`);
  await run(`CREATE TABLE ${database}.stored (${columns}) ENGINE = MergeTree ORDER BY (fingerprint, time)`);
  await run(
    `CREATE TABLE ${database}.queue (${parsed}) ENGINE = Kafka SETTINGS kafka_broker_list = '${options.brokers}', ` +
      `kafka_topic_list = '${options.topic}', kafka_group_name = '${options.group}', kafka_format = 'JSONCompactEachRow', ` +
      `kafka_num_consumers = ${options.consumers}, kafka_thread_per_consumer = 1, kafka_max_block_size = 65536, ` +
      // The default waits 7.5 s for a last block that never fills; that wait is no throughput.
      `kafka_flush_interval_ms = 500`,
  );
  await run(`CREATE MATERIALIZED VIEW ${database}.feed TO ${database}.stored AS SELECT * FROM ${database}.queue`);
  return {
    table: `${database}.stored`,
    async isAssigned() {
      const query =
        'SELECT sum(length(assignments.partition_id)) AS n FROM system.kafka_consumers WHERE database = {database:String}';
      return (await numberOf(client, query, { database })) >= options.partitions;
    },
    async stop() {
      await run(`DROP TABLE ${database}.feed SYNC`);
      await run(`DROP TABLE ${database}.queue SYNC`);
      await run(`DROP DATABASE ${database} SYNC`);
    },
  };
}
