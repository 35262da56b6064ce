import type { LedgerColumn } from '../../../contract/index.ts';

/** What a migration may ask for in braces. */
export interface TemplateValues {
  /** Database of the ledger; a plain identifier. */
  database: string;
  /** Engine of the ledger, MergeTree or ReplicatedMergeTree with or without arguments. */
  engine: string;
  columns: readonly LedgerColumn[];
  /** Sync every insert to disk before it is acknowledged. */
  fsync: boolean;
  /** Who the dictionary reads the claims as; null where the engine has no users (embedded). */
  dictionaryUser: { user: string; password: string } | null;
}

const IDENTIFIER = /^[A-Za-z_]\w*$/;
const ENGINE = /^(Replicated|Shared)?MergeTree(?:\(([^()]*)\))?$/;
const PLACEHOLDER = /\{(database|engine|columns|fsync_settings|dictionary_credentials|replacing_engine:(\w+))\}/g;

/** A check for text that goes into SQL as an identifier. */
export function assertIdentifier(name: string): void {
  if (!IDENTIFIER.test(name)) throw new Error(`${JSON.stringify(name)} can't name a ClickHouse database here`);
}

/** A ClickHouse string literal. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

/** Fills a statement's placeholders in. */
export function fillIn(statement: string, values: TemplateValues): string {
  assertIdentifier(values.database);
  return statement.replace(PLACEHOLDER, (_placeholder, name: string, version: string | undefined) => {
    if (version !== undefined) return replacingEngine(values.engine, version);
    switch (name) {
      case 'database':
        return values.database;
      case 'engine':
        return checkedEngine(values.engine).text;
      case 'columns':
        return columnsOf(values.columns);
      case 'fsync_settings':
        return values.fsync ? ', fsync_after_insert = 1, fsync_part_directory = 1' : '';
      default:
        return dictionaryCredentials(values.dictionaryUser);
    }
  });
}

function columnsOf(columns: readonly LedgerColumn[]): string {
  return columns
    .map((column) => {
      const fallback = column.default === undefined ? '' : ` DEFAULT ${column.default}`;
      return `    \`${column.name}\` ${column.type}${fallback} COMMENT ${quoted(column.comment)}`;
    })
    .join(',\n');
}

/** The replacing engine with the ledger's replication, so that claims and findings live where the ledger does. */
function replacingEngine(engine: string, version: string): string {
  const { replication, replicationArguments } = checkedEngine(engine);
  const allArguments = replicationArguments === '' ? version : `${replicationArguments}, ${version}`;
  return `${replication}ReplacingMergeTree(${allArguments})`;
}

/** The name of an engine, without its arguments. */
export function engineName(engine: string): string {
  return checkedEngine(engine).text.replace(/\(.*$/, '');
}

function checkedEngine(engine: string): { text: string; replication: string; replicationArguments: string } {
  const match = ENGINE.exec(engine);
  if (match === null)
    throw new Error(`The ledger's engine must be MergeTree or ReplicatedMergeTree(…), not ${JSON.stringify(engine)}`);
  return { text: engine, replication: match[1] ?? '', replicationArguments: (match[2] ?? '').trim() };
}

/** A dictionary reads as `default` without password unless told otherwise, which no sensible server allows. */
function dictionaryCredentials(user: TemplateValues['dictionaryUser']): string {
  return user === null ? '' : `USER ${quoted(user.user)} PASSWORD ${quoted(user.password)} `;
}
