import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { CompiledQuery, ControlledTransaction, DatabaseConnection, Driver, QueryResult } from 'kysely';

/*
 * Some changes are made by a library that commits each of its statements by itself, and their line in the audit trail comes after. What runs
 * inside `together` shares one transaction instead, whoever sends the statements: they all go through the store that `joinable` makes.
 */

/** Statements that share a transaction, from the first that changes something to the end of the act. */
export interface Act {
  transaction: Promise<ControlledTransaction<unknown>> | null;
  /** A part of it was rolled back, so that nothing of it may stay. */
  hasFailed: boolean;
  isOver: boolean;
}

const acts = new AsyncLocalStorage<Act>();

export const newAct = (): Act => ({ transaction: null, hasFailed: false, isOver: false });

/** Runs work whose changes are to be there together or not at all, once {@link endAct} has ended it. */
export const together = <Value>(act: Act, work: () => Value): Value => acts.run(act, work);

/** Commits what was changed; with `keeps: false`, or when a part of it failed, nothing of it stays. A second end does nothing. */
export async function endAct(act: Act, keeps: boolean): Promise<void> {
  if (act.isOver) return;
  act.isOver = true;
  const transaction = await act.transaction?.catch((error: unknown) => {
    // Whoever sent the statement that was to begin it knows already.
    if (keeps) throw error;
  });
  if (transaction === undefined) return;
  await (keeps && !act.hasFailed ? commit(transaction) : transaction.rollback().execute());
}

/** Only a rollback gives back the connection of a commit that failed, and it does so whatever the server says to it. */
async function commit(transaction: ControlledTransaction<unknown>): Promise<void> {
  try {
    await transaction.commit().execute();
  } catch (error) {
    await transaction
      .rollback()
      .execute()
      .catch(() => undefined);
    throw error;
  }
}

/**
 * Whether a statement begins the transaction of its act. One-time values are used up whatever comes of the rest, and counts of attempts,
 * which their library sends as raw SQL, stay as well; besides, passwords are hashed and other servers asked after them, for which nobody
 * else should have to wait.
 */
const begins = ({ query, sql }: CompiledQuery): boolean =>
  query.kind !== 'RawNode' && /^(insert into|update|delete from) "(?!verifications")/.test(sql);

/** A store whose statements join the act that they are sent in. Everything else is as with the given one. */
export function joinable<Tables>(inner: Kysely<Tables>): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new JoiningDriver(inner as unknown as Kysely<unknown>),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
}

class JoiningConnection implements DatabaseConnection {
  readonly #inner: Kysely<unknown>;
  /** Begun by the caller, outside any act. */
  own: ControlledTransaction<unknown> | null = null;

  constructor(inner: Kysely<unknown>) {
    this.#inner = inner;
  }

  async executeQuery<Row>(compiled: CompiledQuery): Promise<QueryResult<Row>> {
    const act = presentAct();
    if (this.own === null && act !== null && begins(compiled)) await beginAct(act, this.#inner);
    const executor = this.own ?? (await act?.transaction) ?? this.#inner;
    return executor.executeQuery(compiled as CompiledQuery<Row>);
  }

  streamQuery(): never {
    throw new Error('The registry is read in pages, not as a stream.');
  }
}

function presentAct(): Act | null {
  const act = acts.getStore();
  return act === undefined || act.isOver ? null : act;
}

async function beginAct(act: Act, inner: Kysely<unknown>): Promise<void> {
  act.transaction ??= inner.startTransaction().execute();
  await act.transaction;
}

class JoiningDriver implements Driver {
  readonly #inner: Kysely<unknown>;

  constructor(inner: Kysely<unknown>) {
    this.#inner = inner;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<JoiningConnection> {
    return new JoiningConnection(this.#inner);
  }

  async beginTransaction(connection: JoiningConnection): Promise<void> {
    const act = presentAct();
    if (act === null) connection.own = await this.#inner.startTransaction().execute();
    else await beginAct(act, this.#inner);
  }

  async commitTransaction(connection: JoiningConnection): Promise<void> {
    const { own } = connection;
    connection.own = null;
    if (own !== null) await commit(own);
  }

  async rollbackTransaction(connection: JoiningConnection): Promise<void> {
    const { own } = connection;
    connection.own = null;
    if (own !== null) await own.rollback().execute();
    else {
      const act = presentAct();
      if (act !== null) act.hasFailed = true;
    }
  }

  /** The inner store has released its own already. */
  releaseConnection(): Promise<void> {
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    await this.#inner.destroy();
  }
}
