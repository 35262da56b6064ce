import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../../../deploy/testing/helpers.ts';
import { MIGRATIONS_DIRECTORY, readMigrations, splitStatements } from './migration-files.ts';
import { fillIn, type TemplateValues } from './template.ts';

/** Statements that change nothing when they run again; the runner counts on it instead of a lock. */
const REPEATABLE = [
  /^CREATE (TABLE|DICTIONARY|VIEW|FUNCTION) IF NOT EXISTS /,
  /^CREATE OR REPLACE (DICTIONARY|VIEW|FUNCTION) /,
  /^ALTER TABLE \S+\s+(ADD (COLUMN|INDEX|PROJECTION|CONSTRAINT) IF NOT EXISTS|(DROP|CLEAR|RENAME|COMMENT) (COLUMN|INDEX|PROJECTION|CONSTRAINT) IF EXISTS|MODIFY (SETTING|TTL|COMMENT|COLUMN)|MATERIALIZE (INDEX|PROJECTION)) ?/,
  /^DROP (TABLE|DICTIONARY|VIEW|FUNCTION) IF EXISTS /,
];

const VALUES: TemplateValues = {
  database: 'lanewatch',
  engine: 'MergeTree',
  columns: [{ name: 'id', type: 'String', comment: "it's" }],
  fsync: false,
  dictionaryUser: null,
};

async function directoryOf(files: Record<string, string>): Promise<string> {
  const directory = join(await tempDir(), 'migrations');
  mkdirSync(directory);
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(directory, name), sql);
  return directory;
}

describe('the migrations of this repository', () => {
  const migrations = readMigrations(MIGRATIONS_DIRECTORY);

  it('change nothing when they run again', () => {
    const unrepeatable = migrations.flatMap(({ name, statements }) =>
      statements
        .filter((statement) => !REPEATABLE.some((form) => form.test(statement)))
        .map((statement) => `${name}: ${statement.slice(0, 60)}`),
    );
    expect(unrepeatable).toEqual([]);
  });

  it('leave no placeholder open', () => {
    const open = migrations.flatMap(({ statements }) =>
      statements.map((statement) => fillIn(statement, VALUES)).filter((statement) => /\{\w+(:\w+)?\}/.test(statement)),
    );
    expect(open).toEqual([]);
  });

  it('comment every column', () => {
    const columns = migrations
      .flatMap(({ statements }) => statements)
      .filter((statement) => statement.startsWith('CREATE TABLE'))
      .flatMap((statement) => statement.split('\n'))
      .filter((line) => /^ {4}[a-z]\w* [A-Z]/.test(line));
    expect(columns.length).toBeGreaterThan(15);
    const bare = columns.filter((line) => !line.includes(' COMMENT '));
    expect(bare).toEqual([]);
  });
});

describe('reading migrations', () => {
  it.each([
    [{ '001_a.sql': '', '001_b.sql': '' }, '001_b.sql: number 001 is taken, the next free one is 2'],
    [{ '1_a.sql': '' }, '1_a.sql: a migration is named like 001_ledger.sql'],
  ])('refuses %o', async (files, problem) => {
    const directory = await directoryOf(files);
    expect(() => readMigrations(directory)).toThrow(problem);
  });

  it('gives the same checksum for other comments and white space, another for other statements', async () => {
    const checksum = async (sql: string) => readMigrations(await directoryOf({ '001_a.sql': sql }))[0]?.checksum;
    const plain = await checksum('SELECT 1;\n');
    expect(await checksum('-- Why.\nSELECT\n   1;\n')).toBe(plain);
    expect(await checksum('SELECT 2;\n')).not.toBe(plain);
  });

  it('cuts statements at semicolons that end a line, and only there', () => {
    expect(splitStatements("-- one;\nSELECT ';';\nSELECT 2; \n\nSELECT\n 3")).toEqual([
      "SELECT ';'",
      'SELECT 2',
      'SELECT\n 3',
    ]);
  });
});

describe('filling in', () => {
  it('quotes what comes from outside', () => {
    expect(fillIn('{columns}', VALUES)).toBe("    `id` String COMMENT 'it\\'s'");
    const dictionaryUser = { user: 'o\\neil', password: "'{database}" };
    expect(fillIn('{dictionary_credentials}', { ...VALUES, dictionaryUser })).toBe(
      "USER 'o\\\\neil' PASSWORD '\\'{database}' ",
    );
    expect(() => fillIn('{database}', { ...VALUES, database: 'a b' })).toThrow("can't name a ClickHouse database");
  });

  it.each([
    ['MergeTree', 'ReplacingMergeTree(v)'],
    ['ReplicatedMergeTree', 'ReplicatedReplacingMergeTree(v)'],
    [
      "ReplicatedMergeTree('/tables/{shard}/ledger', '{replica}')",
      "ReplicatedReplacingMergeTree('/tables/{shard}/ledger', '{replica}', v)",
    ],
  ])('replicates the small tables as the ledger is: %s', (engine, replacing) => {
    expect(fillIn('{engine}', { ...VALUES, engine })).toBe(engine);
    expect(fillIn('{replacing_engine:v}', { ...VALUES, engine })).toBe(replacing);
  });

  it('refuses an engine that does not store rows this way', () => {
    expect(() => fillIn('{engine}', { ...VALUES, engine: 'Memory' })).toThrow(
      'must be MergeTree or ReplicatedMergeTree',
    );
  });
});
