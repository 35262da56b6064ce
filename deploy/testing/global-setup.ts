import { readFile } from 'node:fs/promises';
import type { TestProject } from 'vitest/node';
import { clickhouseOrigin, clickhousePart } from './clickhouse-part.ts';
import type { ClickHouseServer } from './clickhouse-part.ts';
import { clusterToolsPart } from './cluster-tools-part.ts';
import { dockerAnswers } from './docker.ts';
import { kafkaPart } from './kafka-part.ts';
import type { Part } from './part.ts';
import { postgresPart } from './postgres-part.ts';

declare module 'vitest' {
  /** What `inject` gives to tests. Null: it can't be had here; skip with `describe.skipIf`, the run reports it. */
  export interface ProvidedContext {
    /** `host:port,…` of a Kafka cluster. */
    kafkaBrokers: string | null;
    /** `postgres://` URL of a superuser; make a database of your own. Null: use PGlite. */
    postgresUrl: string | null;
    /** A ClickHouse that files share; make a database of your own. */
    clickhouseServer: ClickHouseServer | null;
    /** Folder with the programs that judge compose file and chart. */
    clusterTools: string | null;
  }
}

const PARTS = [
  { key: 'kafkaBrokers', title: 'Kafka', start: kafkaPart },
  { key: 'postgresUrl', title: 'Postgres', start: postgresPart },
  { key: 'clickhouseServer', title: 'ClickHouse', start: clickhousePart },
  { key: 'clusterTools', title: 'Cluster tools', start: clusterToolsPart },
] as const;

/**
 * Starts the real parts once per run, side by side, says what each one is, and stops them at the end however the run went.
 * With CI=true a part that can't be had is an error; without, its tests are skipped and the end of the run says so.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const wanted = await wantedKeys(project);
  const parts = PARTS.filter(({ key }) => wanted.has(key));
  const docker = parts.length > 0 && (await dockerAnswers());
  const results = await Promise.allSettled(parts.map(({ start }) => start(docker)));
  const running: Pick<Part, 'stop'>[] = results.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  const stopAll = async () => {
    await Promise.all(running.map((part) => part.stop()));
  };

  const leftOut: string[] = [];
  for (const { key } of PARTS) project.provide(key, null);
  for (const [index, { key, title }] of parts.entries()) {
    const result = results[index]!;
    const address = result.status === 'fulfilled' ? result.value.address : null;
    const origin = result.status === 'fulfilled' ? result.value.origin : String(result.reason);
    project.provide(key, address);
    console.log(`[tests] ${title}: ${address === null ? 'NONE: ' : ''}${origin}`);
    if (address === null) leftOut.push(`${title} (${origin})`);
  }
  if (parts.length > 0) {
    // Files that need one of their own start it themselves.
    if (!wanted.has('clickhouseServer')) console.log(`[tests] ClickHouse: ${clickhouseOrigin()}`);
    if (!docker) console.log('[tests] No Docker engine answers: the testcontainers branch was not taken.');
  }
  if (leftOut.length > 0 && process.env.CI === 'true') {
    await stopAll();
    throw new Error(`CI=true leaves nothing out, but these parts are missing: ${leftOut.join('; ')}`);
  }
  return async () => {
    await stopAll();
    for (const part of leftOut) console.error(`\n[tests] !!! LEFT OUT: every test that needs ${part}`);
  };
}

/** When only some files run, parts that none of them names are not started. */
async function wantedKeys(project: TestProject): Promise<Set<string>> {
  const all = new Set<string>(PARTS.map(({ key }) => key));
  // Vitest does not tell a project which files were asked for; arguments that look like paths do.
  const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('-') && argument.includes('/'));
  if (filters.length === 0) return all;
  const { testFiles } = await project.globTestFiles(filters);
  const sources = await Promise.all(testFiles.map((file) => readFile(file, 'utf8')));
  return new Set([...all].filter((key) => sources.some((source) => source.includes(key))));
}
