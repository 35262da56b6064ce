import type { ClickHouseClient } from '@clickhouse/client';
import { z } from 'zod';
import { UsageError } from '../../measuring/options.ts';

/** An installation that somebody runs: where events go, and where its ledger is read. */
export interface Target {
  ingestUrl: string;
  collectorKey: string;
  clickhouse: { url: string; user: string; password: string; database: string };
}

const ANSWER_DEADLINE_MS = 30_000;
const isHttp = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '');

const environment = z.object({
  COLLECTOR_KEY: z.string({ error: 'is missing: a key with scope write on usage-events' }).min(1),
  CLICKHOUSE_URL: z
    .string({ error: 'is missing: where the ledger is, such as https://clickhouse:8443' })
    .refine(isHttp, 'must be an address such as https://clickhouse:8443'),
  CLICKHOUSE_USER: z.string().default('default'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
  CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and underscores')
    .default('lanewatch'),
});

/**
 * The installation that the command line names, with the secrets of the environment.
 * @throws UsageError naming everything that is missing
 */
export function targetOf(ingestUrl: string, env: Readonly<Record<string, string | undefined>>): Target {
  const parsed = environment.safeParse(env);
  if (!isHttp(ingestUrl))
    throw new UsageError(`--against is the address of ingest, such as https://ingest.example.com, not "${ingestUrl}".`);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new UsageError(`The environment does not say how to reach it:\n${problems.join('\n')}`);
  }
  const { COLLECTOR_KEY, CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD, CLICKHOUSE_DATABASE } = parsed.data;
  return {
    ingestUrl: ingestUrl.replace(/\/+$/, ''),
    collectorKey: COLLECTOR_KEY,
    clickhouse: {
      ...{ url: CLICKHOUSE_URL, user: CLICKHOUSE_USER, password: CLICKHOUSE_PASSWORD },
      database: CLICKHOUSE_DATABASE,
    },
  };
}

/**
 * Asks ingest and ledger once what both are asked all the time: careful collectors would send for ever what is refused.
 * @throws UsageError naming what does not let us in, and why
 */
export async function checkTarget(
  { ingestUrl, collectorKey, clickhouse }: Target,
  client: ClickHouseClient,
): Promise<void> {
  const posted = await fetch(`${ingestUrl}/v1/events`, {
    ...{ method: 'POST', body: '[]', signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) },
    headers: { 'content-type': 'application/json', authorization: `Bearer ${collectorKey}` },
  }).catch((error: Error) => {
    throw new UsageError(`--against ${ingestUrl} does not answer: ${String(error.cause ?? error)}`);
  });
  const answer = await posted.text();
  if (!posted.ok)
    throw new UsageError(`--against, COLLECTOR_KEY: ingest answers ${posted.status}: ${answer.slice(0, 400)}`);
  await client.command({ query: `SELECT 1 FROM ${clickhouse.database}.ledger LIMIT 0` }).catch((error: unknown) => {
    throw new UsageError(`CLICKHOUSE_…: the ledger at ${clickhouse.url} can't be read: ${String(error)}`);
  });
}
