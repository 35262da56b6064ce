import type { GalleryEntry, SqlChart } from '../../contract/index.ts';

const bar = (x: string, ...y: string[]): SqlChart => ({ kind: 'bar', x, y });
const line = (x: string, ...y: string[]): SqlChart => ({ kind: 'line', x, y });
const entry = (
  title: string,
  sql: string,
  chart: SqlChart,
  parameters: GalleryEntry['parameters'] = {},
): GalleryEntry => ({ title, sql, parameters, chart });

/**
 * Twenty questions, the most asked first. Where a roll-up by day knows what is asked they say so in its words (`day`, sums grouped by its
 * columns), so that they take no longer as the ledger grows. A parameter's value here is where its field begins.
 */
export const GALLERY: readonly GalleryEntry[] = [
  entry(
    'Spend by day',
    `SELECT day, round(toFloat64(sum(cost_usd)), 2) AS usd, sum(calls) AS requests
FROM usage
WHERE day > today() - {days:UInt16}
GROUP BY day
ORDER BY day`,
    line('day', 'usd'),
    { days: 30 },
  ),
  entry(
    'Spend by person, this week against last',
    `SELECT if(person = '', 'nobody named', person) AS who,
  round(toFloat64(sumIf(usd, day > today() - 7)), 2) AS this_week_usd,
  round(toFloat64(sumIf(usd, day <= today() - 7)), 2) AS last_week_usd
FROM (SELECT person, day, sum(cost_usd) AS usd FROM usage WHERE day > today() - 14 GROUP BY person, day)
GROUP BY who
ORDER BY this_week_usd DESC
LIMIT 50`,
    bar('who', 'this_week_usd', 'last_week_usd'),
  ),
  entry(
    'Which unknown keys touched a repository',
    `SELECT hint, lane, sum(calls) AS requests, round(toFloat64(sum(cost_usd)), 2) AS usd, groupUniqArrayIf(10)(person, person != '') AS people, max(seen_at) AS last_seen
FROM usage
WHERE repo ILIKE concat('%', {repo:String}, '%') AND standing = 'unknown' AND seen_at >= today() - 30
GROUP BY hint, lane
ORDER BY usd DESC`,
    bar('hint', 'usd'),
    { repo: '' },
  ),
  entry(
    'Which models a team uses',
    `SELECT u.model AS model, sum(u.calls) AS requests, round(toFloat64(sum(u.cost_usd)), 2) AS usd
FROM usage AS u
INNER JOIN credentials AS c ON c.record_key = u.lane
WHERE ({team:String} = '' OR c.team = {team:String}) AND u.seen_at >= today() - 30
GROUP BY model
ORDER BY usd DESC`,
    bar('model', 'usd'),
    { team: '' },
  ),
  entry(
    'First use of every new agent version',
    `SELECT agent, agent_version, min(seen_at) AS first_seen, uniqExact(person) AS people, sum(calls) AS requests
FROM usage
WHERE agent != ''
GROUP BY agent, agent_version
ORDER BY first_seen DESC
LIMIT 100`,
    bar('agent_version', 'people'),
  ),
  entry(
    'Cost of a session, in percentiles by agent',
    `SELECT if(agent = '', 'not named', agent) AS tool, count() AS sessions,
  round(quantile(0.5)(toFloat64(cost_usd)), 4) AS p50_usd,
  round(quantile(0.9)(toFloat64(cost_usd)), 4) AS p90_usd,
  round(quantile(0.99)(toFloat64(cost_usd)), 4) AS p99_usd,
  round(max(toFloat64(cost_usd)), 2) AS dearest_usd
FROM sessions
WHERE started_at >= today() - 30
GROUP BY tool
ORDER BY sessions DESC`,
    bar('tool', 'p50_usd', 'p90_usd', 'p99_usd'),
  ),
  entry(
    'Cache hit rate by agent',
    `SELECT agent, round(sum(tokens_cache_read) / nullIf(sum(tokens_cache_read + tokens_cache_write + tokens_input_uncached), 0), 3) AS hit_rate,
  sum(tokens_cache_read) AS read_from_cache, sum(tokens_input_uncached) AS read_anew
FROM usage
WHERE seen_at >= today() - 7 AND agent != ''
GROUP BY agent
ORDER BY read_anew DESC`,
    bar('agent', 'hit_rate'),
  ),
  entry(
    'Who still uses a retired model',
    `SELECT model, if(person = '', 'nobody named', person) AS who, hint, sum(calls) AS requests, max(seen_at) AS last_seen
FROM usage
WHERE model ILIKE concat({model:String}, '%') AND seen_at >= today() - 30
GROUP BY model, who, hint
ORDER BY last_seen DESC`,
    bar('who', 'requests'),
    { model: 'claude-3' },
  ),
  entry(
    'Keys that more than one person uses',
    `SELECT hint, name, owner, people, endpoints, sessions, round(toFloat64(cost_usd), 2) AS usd, last_seen
FROM lanes
WHERE people > 1
ORDER BY people DESC, usd DESC`,
    bar('hint', 'people'),
  ),
  entry(
    'Unknown spend by day',
    `SELECT day, round(toFloat64(sumIf(usd, standing = 'unknown')), 2) AS unknown_usd,
  round(toFloat64(sumIf(usd, standing = 'unattributed')), 2) AS no_key_named_usd
FROM (SELECT day, standing, sum(cost_usd) AS usd FROM usage WHERE day > today() - 30 GROUP BY day, standing)
GROUP BY day
ORDER BY day`,
    line('day', 'unknown_usd', 'no_key_named_usd'),
  ),
  entry(
    'The dearest sessions of the week',
    `SELECT session, person, agent, repo, calls, failed, tokens, round(toFloat64(cost_usd), 2) AS usd, started_at, ended_at
FROM sessions
WHERE started_at >= today() - 7
ORDER BY cost_usd DESC
LIMIT 50`,
    bar('session', 'usd'),
  ),
  entry(
    'Failures by model and status',
    `SELECT model, outcome, status_code, sum(calls) AS requests
FROM usage
WHERE outcome != 'success' AND seen_at >= today() - 7
GROUP BY model, outcome, status_code
ORDER BY requests DESC
LIMIT 100`,
    bar('model', 'requests'),
  ),
  entry(
    'How long requests take, by model',
    `SELECT model, sum(calls) AS requests, quantile(0.5)(latency_ms) AS p50_ms, quantile(0.95)(latency_ms) AS p95_ms
FROM usage
WHERE latency_ms > 0 AND seen_at >= today() - 7
GROUP BY model
ORDER BY requests DESC`,
    bar('model', 'p50_ms', 'p95_ms'),
  ),
  entry(
    'Use by hour of the day, UTC',
    `SELECT toHour(seen_at) AS hour, sum(calls) AS requests, round(toFloat64(sum(cost_usd)), 2) AS usd
FROM usage
WHERE seen_at >= today() - 14
GROUP BY hour
ORDER BY hour`,
    bar('hour', 'requests'),
  ),
  entry(
    'Spend by repository',
    `SELECT if(repo = '', 'none named', repo) AS repository, sum(calls) AS requests, round(toFloat64(sum(cost_usd)), 2) AS usd
FROM usage
WHERE day > today() - 30
GROUP BY repository
ORDER BY usd DESC
LIMIT 50`,
    bar('repository', 'usd'),
  ),
  entry(
    'Where the money’s figure comes from',
    `SELECT day, round(toFloat64(sumIf(usd, cost_basis = 'reported')), 2) AS reported_usd,
  round(toFloat64(sumIf(usd, cost_basis = 'estimated')), 2) AS estimated_usd,
  sumIf(requests, cost_basis NOT IN ('reported', 'estimated')) AS requests_without_price
FROM (SELECT day, cost_basis, sum(cost_usd) AS usd, sum(calls) AS requests FROM usage WHERE day > today() - 14 GROUP BY day, cost_basis)
GROUP BY day
ORDER BY day`,
    line('day', 'reported_usd', 'estimated_usd'),
  ),
  entry(
    'Registered keys that nobody used for 30 days',
    `SELECT c.name AS name, c.hint AS hint, c.owner AS owner, c.created_at AS created_at,
  if(l.calls = 0, NULL, l.last_seen) AS last_seen, dateDiff('day', c.created_at, now()) AS age_days
FROM credentials AS c
LEFT JOIN lanes AS l ON l.lane = c.record_key
WHERE c.revoked_at IS NULL AND (l.calls = 0 OR l.last_seen < now() - INTERVAL 30 DAY)
ORDER BY created_at`,
    bar('name', 'age_days'),
  ),
  entry(
    'Keys of production used elsewhere',
    `SELECT c.name AS name, u.hint AS hint, u.environment AS used_in, u.person AS person, sum(u.calls) AS requests, max(u.seen_at) AS last_seen
FROM usage AS u
INNER JOIN credentials AS c ON c.record_key = u.lane
WHERE c.environment = 'production' AND u.environment NOT IN ('', 'production') AND u.seen_at >= today() - 30
GROUP BY name, hint, used_in, person
ORDER BY requests DESC`,
    bar('name', 'requests'),
  ),
  entry(
    'Findings by rule and severity',
    `SELECT rule, severity, count() AS findings, sum(occurrences) AS occurrences, max(last_seen) AS last_seen
FROM findings
GROUP BY rule, severity
ORDER BY findings DESC`,
    bar('rule', 'findings'),
  ),
  entry(
    'One person’s month',
    `SELECT day, groupUniqArrayIf(5)(agent, agent != '') AS agents, groupUniqArrayIf(10)(repo, repo != '') AS repositories,
  sum(calls) AS requests, round(toFloat64(sum(cost_usd)), 2) AS usd
FROM usage
WHERE person = {person:String} AND seen_at >= today() - 30
GROUP BY day
ORDER BY day`,
    line('day', 'usd'),
    { person: '' },
  ),
];
