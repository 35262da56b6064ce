import { ClickHouseError } from '@clickhouse/client';
import { FencedError, LedgerUnavailableError } from './ledger.ts';

/** VIOLATED_CONSTRAINT. Ledger and findings have one constraint: their writer must hold the partition. */
const VIOLATED_CONSTRAINT = '469';

/**
 * ClickHouse's codes for states that pass: the server is busy, full, starting, stopping or cut off from others. Anything
 * else it reports (no such table, wrong password, bad data) will be reported again.
 */
const PASSING_CODES: ReadonlyMap<string, string> = new Map([
  ['32', 'ATTEMPT_TO_READ_AFTER_EOF'], // The body ended early: a proxy or our own abort.
  ['33', 'CANNOT_READ_ALL_DATA'], // The same.
  ['74', 'CANNOT_READ_FROM_FILE_DESCRIPTOR'],
  ['75', 'CANNOT_WRITE_TO_FILE_DESCRIPTOR'],
  ['76', 'CANNOT_OPEN_FILE'],
  ['95', 'CANNOT_READ_FROM_SOCKET'],
  ['96', 'CANNOT_WRITE_TO_SOCKET'],
  ['159', 'TIMEOUT_EXCEEDED'],
  ['160', 'TOO_SLOW'],
  ['202', 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  ['203', 'NO_FREE_CONNECTION'],
  ['209', 'SOCKET_TIMEOUT'],
  ['210', 'NETWORK_ERROR'],
  ['225', 'NO_ZOOKEEPER'],
  ['236', 'ABORTED'],
  ['241', 'MEMORY_LIMIT_EXCEEDED'],
  ['242', 'TABLE_IS_READ_ONLY'],
  ['243', 'NOT_ENOUGH_SPACE'],
  ['252', 'TOO_MANY_PARTS'],
  ['279', 'ALL_CONNECTION_TRIES_FAILED'],
  ['285', 'TOO_FEW_LIVE_REPLICAS'],
  ['286', 'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE'],
  ['289', 'REPLICA_IS_NOT_IN_QUORUM'],
  ['319', 'UNKNOWN_STATUS_OF_INSERT'],
  ['364', 'UNKNOWN_STATUS_OF_DISTRIBUTED_DDL_TASK'],
  ['394', 'QUERY_WAS_CANCELLED'],
  ['425', 'SYSTEM_ERROR'],
  ['439', 'CANNOT_SCHEDULE_TASK'],
  ['473', 'DEADLOCK_AVOIDED'],
  ['499', 'S3_ERROR'],
  ['517', 'CANNOT_ASSIGN_ALTER'],
  ['519', 'NO_REMOTE_SHARD_AVAILABLE'],
  ['722', 'ASYNC_LOAD_WAIT_FAILED'],
  ['735', 'QUERY_WAS_CANCELLED_BY_CLIENT'],
  ['745', 'SERVER_OVERLOADED'],
  ['999', 'KEEPER_EXCEPTION'],
]);

/**
 * What a failed call to ClickHouse means for the caller: {@link FencedError}, {@link LedgerUnavailableError}, or the error
 * itself when trying again would not help.
 * @param doing what was tried, for the message: "storing a batch"
 */
export function ledgerErrorOf(error: unknown, doing: string): Error {
  if (error instanceof FencedError || error instanceof LedgerUnavailableError) return error;
  if (error instanceof ClickHouseError) {
    if (error.code === VIOLATED_CONSTRAINT)
      return new FencedError(`${doing}: another detector has claimed a partition of the batch`, { cause: error });
    const name = PASSING_CODES.get(error.code);
    if (name !== undefined)
      return new LedgerUnavailableError(`${doing}: ClickHouse answered ${name}`, { cause: error });
    return error;
  }
  // Mistakes in this code are no reason to try again.
  if (error instanceof TypeError || error instanceof RangeError) return error;
  // Everything else comes from the transport: refused, reset, timed out, aborted, or an answer that is not ClickHouse's.
  const text = error instanceof Error ? error.message || error.name : String(error);
  return new LedgerUnavailableError(`${doing}: ClickHouse could not be reached or did not answer (${text})`, {
    cause: error,
  });
}

/** Runs a call to ClickHouse; failures come out as {@link ledgerErrorOf} says. */
export async function asLedgerErrors<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw ledgerErrorOf(error, doing);
  }
}
