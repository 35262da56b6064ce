import { createRequire } from 'node:module';

import { enginePackage } from './support.ts';

/** A connection of the engine. Opaque: only the addon can look inside. */
export type NativeConnection = { readonly __nativeConnection: never };

type NativeResult = { bytes: Buffer; elapsed: number; rowsRead: number; bytesRead: number };
type NativeInsertResult = { elapsed: number; rowsWritten: number; bytesWritten: number };
type NativeAnalysis = { statementCount: number; queryClass: number };

/**
 * The part of chDB's addon that is used here. The package's own `Session` is not, for two reasons: it defers every
 * `close()` until all operations of all sessions have ended, so that one long query would keep thousands of short
 * sessions open; and it hides the statement analysis that the read-only user is checked with.
 */
export type Native = {
  CreateConnection(path: string, engineArguments?: readonly string[]): NativeConnection | null;
  CloseConnection(connection: NativeConnection): void;
  QueryAsyncConnection(connection: NativeConnection, sql: string, format: string): Promise<NativeResult>;
  InsertRawAsyncConnection(
    connection: NativeConnection,
    statement: string,
    data: Buffer,
    countLines: boolean,
  ): Promise<NativeInsertResult>;
  DurableClassifyAsync(connection: NativeConnection, sql: string, database: string): Promise<NativeAnalysis>;
  EngineVersion(): string;
};

/**
 * Loads the engine (550 MB are mapped, not read). Throws when the platform's package is not installed.
 */
export function loadNative(): Native {
  const name = enginePackage(process.platform, process.arch);
  if (name === undefined) throw new Error(`chDB has no package for ${process.platform}-${process.arch}`);
  // The platform package is a dependency of chdb, not of ours, so it is looked up from there.
  const fromHere = createRequire(import.meta.url);
  const fromChdb = createRequire(fromHere.resolve('chdb/package.json'));
  return fromChdb(name) as Native;
}
