import type { ClickHouseClient } from '@clickhouse/client';
import { CREDENTIALS_BY_KEY, standingNowSql } from '../../contract/index.ts';

const TOKEN_COLUMNS = ['tokens_input_uncached', 'tokens_cache_read', 'tokens_cache_write', 'tokens_output'];
/** Signed, because a correction takes tokens back: stored in two's complement. */
const TOKENS = `toInt64(${TOKEN_COLUMNS.join(' + ')})`;
const SIGNED_TOKENS = TOKEN_COLUMNS.map((name) => `toInt64(${name}) AS ${name}`).join(', ');
/** Apart for those who ask in SQL; NULL where no limit was told. */
const RATE_LIMITS = ['requests', 'tokens']
  .flatMap((kind) =>
    ['limit', 'remaining'].map(
      (name) => `JSONExtract(rate_limits, '${kind}', '${name}', 'Nullable(UInt64)') AS ${kind}_${name}`,
    ),
  )
  .join(', ');
const ENDPOINT = "if(ip != '', ip, host)";
/** The detector's own book-keeping, which nobody analyses. */
const INTERNAL = ['event_hash', 'claimant', 'kafka_partition', 'kafka_offset', 'record_index'];

/**
 * Makes the views that analysts query, or replaces them by those of this program: they hold no rows, so that they follow the code without a
 * migration.
 * @param database a checked identifier
 */
export async function replaceAnalystViews(client: ClickHouseClient, database: string): Promise<void> {
  for (const [name, query] of Object.entries(viewsOf(database)))
    await client.command({ query: `CREATE OR REPLACE VIEW ${database}.${name} AS ${query}` });
}

function viewsOf(database: string): Record<string, string> {
  const { matched, standing } = standingNowSql(
    database,
    { fingerprint: 'lane_fingerprint', hint: 'tupleElement(named, 1)', org: 'tupleElement(named, 2)' },
    "now64(3, 'UTC')",
  );
  const registered = (attribute: string) =>
    `dictGet('${database}.${CREDENTIALS_BY_KEY}', '${attribute}', tupleElement(matched, 2))`;
  return {
    usage: `SELECT * EXCEPT (${INTERNAL.join(', ')}) REPLACE (${SIGNED_TOKENS}), toDate(seen_at) AS day, ${ENDPOINT} AS endpoint, user AS person, ${TOKENS} AS tokens, ${RATE_LIMITS}
            FROM ${database}.ledger`,
    // Its expressions are those of the roll-up by day, so that it is answered from there.
    lanes: `SELECT lane, lane_fingerprint AS fingerprint, tupleElement(named, 1) AS hint, lane_org AS org, lane_provider AS provider,
              ${standing('matched')} AS standing, replaceOne(tupleElement(matched, 1), 'unattributed', 'none') AS match,
              ${registered('id')} AS credential_id, ${registered('name')} AS name, ${registered('owner')} AS owner,
              ${registered('project')} AS project, ${registered('team')} AS team, ${registered('environment')} AS environment,
              lane_calls AS calls, cost AS cost_usd, all_tokens AS tokens, people, endpoints, agents, sessions, repos, models, first_seen, last_seen
            FROM (SELECT *, ${matched} AS matched FROM (
              SELECT lane, any(fingerprint) AS lane_fingerprint, argMaxIf((hint, org), seen_at, hint != '') AS named,
                argMaxIf(org, seen_at, org != '') AS lane_org,
                argMaxIf(if(credential_provider != '', credential_provider, provider), seen_at, credential_provider != '' OR provider != '') AS lane_provider,
                sum(calls) AS lane_calls, sum(cost_usd) AS cost,
                sum(tokens_input_uncached) + sum(tokens_cache_read) + sum(tokens_cache_write) + sum(tokens_output) AS all_tokens,
                uniqExactIf(user, user != '') AS people, uniqExactIf(${ENDPOINT}, ${ENDPOINT} != '') AS endpoints,
                uniqExactIf(agent, agent != '') AS agents, uniqExactIf(session, session != '') AS sessions,
                uniqExactIf(repo, repo != '') AS repos, uniqExactIf(model, model != '') AS models,
                min(seen_at) AS first_seen, max(seen_at) AS last_seen
              FROM ${database}.ledger GROUP BY lane))`,
    sessions: `SELECT session, lane, argMaxIf(hint, seen_at, hint != '') AS hint, argMaxIf(user, seen_at, user != '') AS person,
                 argMaxIf(agent, seen_at, agent != '') AS agent, argMaxIf(repo, seen_at, repo != '') AS repo,
                 min(seen_at) AS started_at, max(seen_at) AS ended_at, sum(ledger.calls) AS calls, sumIf(ledger.calls, outcome != 'success') AS failed,
                 groupUniqArrayIf(50)(model, model != '') AS models, sum(${TOKENS}) AS tokens, sum(cost_usd) AS cost_usd
               FROM ${database}.ledger AS ledger WHERE session != '' GROUP BY session, lane`,
  };
}
