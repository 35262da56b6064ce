import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the ledger's migrations lie. */
export const MIGRATIONS_DIRECTORY = join(import.meta.dirname, '../../../migrations');

/** One numbered SQL file. */
export interface Migration {
  version: number;
  /** File name. */
  name: string;
  /** Statements in order, comments taken off, placeholders still in. */
  statements: string[];
  /** Over the statements with white space evened out: comments may be improved after release, statements may not. */
  checksum: string;
}

const FILE_NAME = /^(\d{3})_[a-z0-9_]+\.sql$/;

/**
 * Reads the migrations of a directory in order. Numbers may be left out: work on several things at once takes a number each before
 * it is known which is done first, and what is missing of them is applied whenever it comes.
 * @throws Error naming the file when a name is not `NNN_words.sql` or a number is used twice
 */
export function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory).sort();
  let before = 0;
  return names.map((name) => {
    const number = FILE_NAME.exec(name)?.[1];
    if (number === undefined) throw new Error(`${join(directory, name)}: a migration is named like 001_ledger.sql`);
    const version = Number(number);
    if (version <= before)
      throw new Error(`${join(directory, name)}: number ${number} is taken, the next free one is ${before + 1}`);
    before = version;
    const statements = splitStatements(readFileSync(join(directory, name), 'utf8'));
    return { version, name, statements, checksum: checksumOf(statements) };
  });
}

/** Takes line comments off and cuts at semicolons that end a line. */
export function splitStatements(sql: string): string[] {
  const withoutComments = sql
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n');
  return withoutComments
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

function checksumOf(statements: string[]): string {
  const evened = statements.map((statement) => statement.replace(/\s+/g, ' ')).join(';');
  return createHash('sha256').update(evened, 'utf8').digest('hex').slice(0, 16);
}
