import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';

/** How the detector reaches ClickHouse. */
export interface ClickHouseEndpoint {
  /** `http://host:8123`, or https. */
  url: string;
  user: string;
  password: string;
  /** Replicas that have to have what is written before it counts as written; 0, the default, for a single server. */
  insertQuorum?: number;
}

/** The parameter that breaks a request off when the signal fires, if there is one. */
export function abortedBy(signal: AbortSignal | undefined): { abort_signal?: AbortSignal } {
  return signal === undefined ? {} : { abort_signal: signal };
}

/** Idle sockets are dropped before the server drops them: Node closes after 5 s, ClickHouse after 10 s and more. */
const IDLE_SOCKET_MS = 2_500;
/** One insert, a claim and the restoring reads at the same time leave room. */
const CONNECTIONS_MAX = 8;

/**
 * A client for one ClickHouse server or the embedded endpoint.
 * @param silenceMsMax a request on whose connection nothing moves for this long is given up; limits of whole requests are
 *   set where they are made
 */
export function connect(endpoint: ClickHouseEndpoint, silenceMsMax: number): ClickHouseClient {
  return createClient({
    url: endpoint.url,
    username: endpoint.user,
    password: endpoint.password,
    application: 'lanewatch-detector',
    request_timeout: silenceMsMax,
    max_open_connections: CONNECTIONS_MAX,
    keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_MS },
    // Failures are thrown and reported by the caller; the client's own lines would only repeat them.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      // An asynchronous insert is acknowledged together with strangers and split again: neither one part nor one answer.
      async_insert: 0,
      // Nor may the engine take an insert for the repeat of another: it notes it before the rows are in place, and killed between the
      // two it drops what is sent again. Whether rows are there is asked of the rows (ownership.ts).
      insert_deduplicate: 0,
      ...(endpoint.insertQuorum === undefined || endpoint.insertQuorum === 0 ? {} : quorumOf(endpoint.insertQuorum)),
    },
  });
}

/** Statements for a whole cluster go on without replicas that are down, which catch up when they are back. The client's types lack that mode. */
const quorumOf = (replicas: number): Record<string, string> => ({
  insert_quorum: String(replicas),
  distributed_ddl_output_mode: 'none_only_active',
  skip_unavailable_shards: '1',
});
