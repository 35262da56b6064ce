import { z } from 'zod';
import { UsageError } from '../../measuring/options.ts';

/** An installation that somebody runs: where events go, and where its ledger is read. */
export interface Target {
  ingestUrl: string;
  collectorKey: string;
  clickhouse: { url: string; user: string; password: string; database: string };
}

const environment = z.object({
  COLLECTOR_KEY: z.string({ error: 'is missing: a key with scope write on usage-events' }).min(1),
  CLICKHOUSE_URL: z.url({ error: 'is missing: where the ledger is, such as https://clickhouse:8443' }),
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
  if (!URL.canParse(ingestUrl)) throw new UsageError(`--against is the address of ingest, not "${ingestUrl}".`);
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
