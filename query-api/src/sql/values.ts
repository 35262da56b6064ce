import type { SqlValues } from '../../contract/index.ts';
import type { AnalystEngine } from './analyst.ts';

/** Columns of few values each, which people write into queries. */
const OF_USAGE = ['agent', 'model', 'repo', 'person', 'org', 'provider', 'environment', 'host', 'hint'] as const;
const OF_CREDENTIALS = ['team', 'project', 'owner', 'name'] as const;
const VALUES_MAX = 100;
/** Values are help, no answer: one more is not worth more of the engine. */
const SECONDS_MAX = 5;

/**
 * The most frequent values of columns, of the last week; those that the registry gives, of its keys.
 * @returns by column name; an empty list for a column whose values took too long
 */
export async function readValues(engine: AnalystEngine): Promise<SqlValues> {
  const most = (names: readonly string[]) =>
    names.map((name) => `topKIf(${VALUES_MAX})(toString(${name}), ${name} != '') AS top_${name}`).join(', ');
  const [usage, credentials] = await Promise.all([
    first(engine, `SELECT ${most(OF_USAGE)} FROM usage WHERE seen_at >= today() - 7`),
    first(engine, `SELECT ${most(OF_CREDENTIALS)} FROM credentials`),
  ]);
  const found = { ...usage, ...credentials };
  return {
    columns: Object.fromEntries([...OF_USAGE, ...OF_CREDENTIALS].map((name) => [name, found[`top_${name}`] ?? []])),
  };
}

async function first(engine: AnalystEngine, sql: string): Promise<Record<string, string[]>> {
  const rows = await engine.rows<Record<string, string[]>>(sql, {}, SECONDS_MAX).catch((error: unknown) => {
    if ((error as { code?: string }).code === '159') return [];
    throw error;
  });
  return rows[0] ?? {};
}
