import { ClickHouseError } from '@clickhouse/client';
import { FencedError, LedgerUnavailableError } from './ledger.ts';

/** VIOLATED_CONSTRAINT. Ledger, progress and findings have one constraint: their writer must hold the partition. */
const VIOLATED_CONSTRAINT = '469';

/**
 * What a failed call to ClickHouse means for the caller: {@link FencedError}, or {@link LedgerUnavailableError} for all else. A
 * missing table or a wrong password is not told from a server that is busy: the batch waits for either, and goes on once
 * somebody has put it right. Decided by the code; texts change.
 * @param doing what was tried, for the message: "storing a batch"
 */
export function ledgerErrorOf(error: unknown, doing: string): Error {
  if (error instanceof FencedError || error instanceof LedgerUnavailableError) return error;
  // Mistakes in this code are no state of the ledger.
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (!(error instanceof ClickHouseError)) {
    const text = error instanceof Error ? error.message || error.name : String(error);
    return new LedgerUnavailableError(`${doing}: ${text}`, { cause: error });
  }
  if (error.code === VIOLATED_CONSTRAINT)
    return new FencedError(`${doing}: another detector has claimed a partition of the batch`, { cause: error });
  // Without ClickHouse's text, which may quote values.
  return new LedgerUnavailableError(`${doing}: ClickHouse answered ${error.type ?? `code ${error.code}`}`, {
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
