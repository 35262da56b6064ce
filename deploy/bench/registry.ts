import { setTimeout as delay } from 'node:timers/promises';
import { credentialCreateSchema } from '@lanewatch/query-api/contract';
import { openDatabase } from '../../query-api/src/registry/database.ts';
import { draftCredential } from '../../query-api/src/registry/draft.ts';
import { migrateRegistry } from '../../query-api/src/registry/migrate.ts';
import { insertableOf } from '../../query-api/src/registry/record.ts';
import { firstSecretOf } from '../../query-api/src/registry/secrets.ts';

const ROWS_PER_INSERT = 1_000;
const DAY_MS = 86_400_000;
const LOOK_MS = 500;
const CALM_LOOKS = 12;
/** A hundred thousand records went out within a minute; with others beside it takes a few. */
const PUBLISHED_DEADLINE_MS = 600_000;

/**
 * Writes managed keys into a registry that nobody has open.
 * @param keyOf fields of key number n, as create takes them
 * @param ageDays how long ago all of them were made
 * @returns their secrets
 */
export async function fillRegistry(
  databaseUrl: string,
  keys: number,
  keyOf: (at: number) => object,
  ageDays = 0,
): Promise<string[]> {
  const database = await openDatabase(databaseUrl);
  await migrateRegistry(database.db);
  const madeMs = Date.now() - ageDays * DAY_MS;
  const secrets: string[] = [];
  for (let from = 0; from < keys; from += ROWS_PER_INSERT) {
    const drafts = Array.from({ length: Math.min(ROWS_PER_INSERT, keys - from) }, (_, at) =>
      draftCredential(credentialCreateSchema.parse({ kind: 'managed', ...keyOf(from + at) }), 'bench', madeMs),
    );
    const rows = drafts.map(({ row }) => row);
    await database.db.insertInto('credentials').values(rows.map(insertableOf)).execute();
    await database.db.insertInto('credential_secrets').values(rows.map(firstSecretOf)).execute();
    for (const { secret } of drafts) secrets.push(secret!);
  }
  await database.close();
  return secrets;
}

/** A figure of query-api's metrics; NaN while it is absent. */
export async function metricOf(queryApiUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${queryApiUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/**
 * Waits until the bus has every record of the registry: after a start with an empty bus all are published, which is no load of everyday.
 * @throws Error when that takes too long
 */
export async function untilPublished(queryApiUrl: string): Promise<void> {
  const missing = async () => ((await (await fetch(`${queryApiUrl}/readyz`)).json()) as { missing: string[] }).missing;
  const deadlineMs = performance.now() + PUBLISHED_DEADLINE_MS;
  // Between two parts of them nothing may wait for a moment.
  for (let calm = 0; calm < CALM_LOOKS; calm++) {
    const isCalm =
      !(await missing()).includes('bus') && (await metricOf(queryApiUrl, 'lanewatch_query_api_outbox_unsent')) === 0;
    if (!isCalm) calm = 0;
    if (performance.now() > deadlineMs) throw new Error('The registry was not published in ten minutes');
    await delay(LOOK_MS);
  }
}
