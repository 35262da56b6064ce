import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';

/** Postgres did not answer, could not be reached, or can't answer now. */
export class RegistryUnavailableError extends Error {
  readonly canRetry = true;
  constructor(cause: unknown) {
    super('The registry does not answer.', { cause });
    this.name = 'RegistryUnavailableError';
  }
}

/**
 * Postgres's codes for "not now": a query's time is up (57014), an operator or a crash at work (57P), memory, disk or connections
 * used up (53), the connection broke (08).
 */
const OUTAGE_CODES = /^(57014|57P\d\d|53\d\d\d|08\d\d\d)$/;

/** An answer of the server is a fault of the query, but for those codes. Everything else happened on the way to it. */
function isOutage(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return OUTAGE_CODES.test(error.code ?? '');
  return !(error instanceof TypeError);
}

/**
 * The pool with every outage told as RegistryUnavailableError: most of the driver's own faults have no code to know them by. A
 * connection that had one is not used again; behind a dead network each query on it would wait for its time-out.
 */
export function tellingOutages(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    async connect() {
      return tellingOutagesOf(await told(pool.connect()));
    },
    end: () => pool.end(),
  };
}

function tellingOutagesOf(client: pg.PoolClient): PostgresPoolClient {
  let outage: RegistryUnavailableError | null = null;
  const query = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (outage !== null) throw outage;
    return told(client.query(text, [...parameters]), (error) => (outage = error));
  };
  return {
    // Cursors are the other form of it, which nobody here uses.
    query: query as PostgresPoolClient['query'],
    release: (isDiscarded) => client.release(isDiscarded === true || outage !== null),
  };
}

async function told<Result>(
  work: Promise<Result>,
  onOutage: (error: RegistryUnavailableError) => void = () => undefined,
): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!isOutage(error)) throw error;
    const outage = new RegistryUnavailableError(error);
    onOutage(outage);
    throw outage;
  }
}
