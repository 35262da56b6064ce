import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { engineConfigXml, usersXml } from './access.ts';
import { fromEngine } from './errors.ts';
import { loadNative } from './native.ts';
import type { Native, NativeConnection } from './native.ts';
import { quoteIdentifier, quoteString } from './statement.ts';
import { CLOSED_SYSTEM_TABLES, OPEN_SYSTEM_TABLES } from './system-tables.ts';

/** What the engine's parser makes of a text, after chDB's `chdb_query_class`. */
type StatementClass = 'reads' | 'writes' | 'writes-globally' | 'controls' | 'unknown';
const CLASSES: readonly StatementClass[] = ['reads', 'writes', 'writes-globally', 'controls', 'unknown'];

export type Analysis = { statements: number; class: StatementClass };
type QueryOutcome = { output: Buffer; rows: number; bytes: number };
type WriteOutcome = { rows: number; bytes: number };

/**
 * One connection to the engine, for one request: settings stay in a connection, so a second request must never see it.
 * Its calls are made one after the other.
 */
export type Session = {
  analyze(sql: string): Promise<Analysis>;
  query(sql: string, format: string): Promise<QueryOutcome>;
  /** Runs an INSERT and counts what it wrote, materialized views included, as ClickHouse's summary does. */
  write(sql: string): Promise<WriteOutcome>;
  close(): void;
};

export type Engine = {
  version: string;
  timezone: string;
  openSession(): Session;
  /** Stops a running query by the mark its session carries in `log_comment`. */
  stop(mark: string): Promise<void>;
  /** Releases the data directory. Every session must be closed: an open one ends the process with a segmentation fault. */
  close(): Promise<void>;
};

export class EngineOpenError extends Error {}

/**
 * Opens the data directory; the engine takes one directory per process and one process per directory. Throws
 * EngineOpenError with one sentence when another process has it, or when it cannot be opened.
 */
export async function openEngine(path: string, database: string): Promise<Engine> {
  const directory = resolve(path);
  const native = loadNative();
  const dataDirectory = join(directory, 'data');
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  // A directory that was there keeps the mode it had; what is in it may be open to everybody.
  chmodSync(dataDirectory, 0o700);
  // Asked before the engine is, which would say the same in its own way on standard error.
  const holder = lockHolder(dataDirectory);
  if (holder !== undefined) throw new EngineOpenError(openProblem(directory, holder, undefined));
  // The engine reads its configuration from files, once. They are this process's own, so that a second process that
  // is about to be turned away cannot change what the first one reads.
  const configDirectory = join(directory, `config-${String(process.pid)}`);
  mkdirSync(configDirectory, { recursive: true, mode: 0o700 });
  const configFile = join(configDirectory, 'config.xml');
  const usersFile = join(configDirectory, 'users.xml');
  writeFileSync(usersFile, usersXml(database), { mode: 0o600 });
  writeFileSync(configFile, engineConfigXml(usersFile), { mode: 0o600 });

  let control: NativeConnection | null;
  try {
    control = native.CreateConnection(dataDirectory, [`--config-file=${configFile}`]);
  } catch (error) {
    throw new EngineOpenError(openProblem(directory, lockHolder(dataDirectory), error));
  } finally {
    rmSync(configDirectory, { recursive: true, force: true });
  }
  if (control === null) throw new EngineOpenError(openProblem(directory, undefined, undefined));
  return createEngine(native, control, dataDirectory, database);
}

async function createEngine(
  native: Native,
  control: NativeConnection,
  dataDirectory: string,
  database: string,
): Promise<Engine> {
  const session = wrap(native, control, database);
  const text = async (sql: string): Promise<string> => (await session.query(sql, 'TSVRaw')).output.toString().trim();
  try {
    await session.query(`CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(database)}`, 'Null');
    const covered = new Set([...OPEN_SYSTEM_TABLES, ...CLOSED_SYSTEM_TABLES]);
    const present = (await text("SELECT name FROM system.tables WHERE database = 'system'")).split('\n');
    const uncovered = present.filter((table) => !covered.has(table));
    if (uncovered.length > 0) {
      throw new EngineOpenError(
        `This engine has system tables that system-tables.ts does not sort into open and closed: ${uncovered.join(', ')}.`,
      );
    }
    const [version, timezone] = (await text('SELECT version(), timezone()')).split('\t');
    return {
      version: version!,
      timezone: timezone!,
      openSession() {
        const connection = native.CreateConnection(dataDirectory);
        if (connection === null) throw new Error('the engine gave no connection');
        return wrap(native, connection, database);
      },
      async stop(mark) {
        // On a connection of its own: the control connection's calls would wait for each other.
        const killer = wrap(native, native.CreateConnection(dataDirectory)!, database);
        try {
          await killer.query(`KILL QUERY WHERE Settings['log_comment'] = ${quoteString(mark)} ASYNC`, 'Null');
        } finally {
          killer.close();
        }
      },
      close() {
        session.close();
        return Promise.resolve();
      },
    };
  } catch (error) {
    session.close();
    throw error;
  }
}

/** The addon's calls with this process's error type. */
function wrap(native: Native, connection: NativeConnection, database: string): Session {
  let open = true;
  return {
    async analyze(sql) {
      const { statementCount, queryClass } = await native.DurableClassifyAsync(connection, sql, database);
      return { statements: statementCount, class: CLASSES[queryClass] ?? 'unknown' };
    },
    async query(sql, format) {
      try {
        const result = await native.QueryAsyncConnection(connection, sql, format);
        return { output: result.bytes, rows: result.rowsRead, bytes: result.bytesRead };
      } catch (error) {
        throw fromEngine(error);
      }
    },
    async write(sql) {
      try {
        // The only call of the addon that reports written rows takes data after the statement; a line break is none.
        const result = await native.InsertRawAsyncConnection(connection, sql, Buffer.from('\n'), false);
        return { rows: result.rowsWritten, bytes: result.bytesWritten };
      } catch (error) {
        throw fromEngine(error);
      }
    },
    close() {
      if (!open) return;
      open = false;
      native.CloseConnection(connection);
    },
  };
}

/**
 * The process that holds the directory, from the file the engine locks. The lock dies with its process and the file
 * stays, so a process id in it may long belong to another program: where the system lists its locks, it is asked.
 */
function lockHolder(dataDirectory: string): number | undefined {
  const file = join(dataDirectory, 'status');
  try {
    const pid = Number(/^PID: (\d+)/m.exec(readFileSync(file, 'utf8'))?.[1]);
    if (!Number.isInteger(pid) || pid === process.pid || !isLocked(statSync(file).ino)) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch {
    // No such file, or no such process.
    return undefined;
  }
}

function isLocked(inode: number): boolean {
  try {
    return readFileSync('/proc/locks', 'utf8').includes(`:${String(inode)} `);
  } catch {
    return true;
  }
}

function openProblem(directory: string, holder: number | undefined, error: unknown): string {
  if (holder !== undefined) {
    return `The data directory ${directory} is in use by process ${String(holder)}: stop that one, or set CLICKHOUSE_PATH to another directory.`;
  }
  const detail = error instanceof Error ? error.message : 'no connection';
  return `The data directory ${directory} cannot be opened (${detail}): check that it is writable and was written by this version of the engine.`;
}
