import { FIRST, LAST, REPOS } from '../names.ts';
import { priceOf, PRICED_MODELS } from '../prices.ts';

/** Runs of this many rows belong to one lane; each is one session or two. */
const ROWS_PER_RUN = 24;
const REPOS_MAX = 400;
/** A lane's place among the lanes is a uniform number to this power: the first takes a seventh of all sessions, a late one one in ten thousand. */
const SKEW = 4;
const UNATTRIBUTED_ONE_IN = 70;

const DAY_MS = 86_400_000;

/** What one INSERT writes: rows `firstRow` to before `endRow` of all, spread over a day or the part of it that is over. */
export interface DayOfRows {
  firstRow: number;
  endRow: number;
  /** Of the day's rows all in all, for their place in the day. */
  dayFirstRow: number;
  dayEndRow: number;
  fromMs: number;
  toMs: number;
  /** From 0, and of how many: a key that is revoked on the way has other rows before. */
  day: number;
  days: number;
}

const list = (texts: readonly (string | number)[]): string =>
  `[${texts.map((text) => (typeof text === 'number' ? String(text) : `'${text}'`)).join(', ')}]`;
const at = (texts: readonly (string | number)[], index: string): string => `arrayElement(${list(texts)}, ${index} + 1)`;
const modelAt = (read: (model: (typeof PRICED_MODELS)[number]) => string | number): string =>
  at(PRICED_MODELS.map(read), 'model_index');

/** Attributes of the lanes' dictionary that rows are made of, in the order of their places in the tuple. */
export const LANE_ATTRIBUTES = [
  ['lane', 'String'],
  ['fingerprint', 'String'],
  ['hint', 'String'],
  ['org', 'String'],
  ['kind', 'String'],
  ['people', 'UInt32'],
  ['agent', 'String'],
  ['model_a', 'UInt8'],
  ['model_b', 'UInt8'],
  ['repos', 'UInt32'],
  ['environment', 'String'],
  ['credential_id', 'String'],
  ['finding', 'String'],
  ['shared_finding', 'String'],
  ['partition', 'UInt32'],
] as const;

const lane = (name: (typeof LANE_ATTRIBUTES)[number][0]): string =>
  `l.${LANE_ATTRIBUTES.findIndex(([attribute]) => attribute === name) + 1}`;

/**
 * The statement that writes a stretch of generated rows. Everything follows from the seed and the number of the row.
 * @param dictionary of the lanes, by index
 */
export function rowsSql(
  names: { database: string; dictionary: string },
  shape: { seed: number; lanes: number; people: number },
  rows: DayOfRows,
): string {
  const { database, dictionary } = names;
  const { seed, lanes, people } = shape;
  const span = rows.toMs - rows.fromMs;
  const hash = (...parts: string[]): string => `cityHash64(${seed}, ${parts.join(', ')})`;
  const share = (of: string, bits = 20): string => `(${of} % ${2 ** bits}) / ${2 ** bits}`;
  const exponential = (of: string, mean: number): string => `(-log(1 - ${share(of)}) * ${mean})`;
  const retiredFrom = (part: number): number => Math.ceil(rows.days * part);
  const standing = `multiIf(
      ${lane('kind')} IN ('known', 'hint'), 'known',
      ${lane('kind')} = 'revoked', ${rows.day >= retiredFrom(0.7) ? `'revoked'` : `'known'`},
      ${lane('kind')} = 'expired', ${rows.day >= retiredFrom(0.85) ? `'expired'` : `'known'`},
      ${lane('kind')})`;
  // What a column is made from stands above it; the last step names the ledger's columns.
  return `
INSERT INTO ${database}.ledger (source, id, time, received_at, seen_at, lane, fingerprint, hint, credential_provider, credential_kind, org,
  user, ip, host, agent, agent_version, session, request_id, repo, branch, provider, model, environment, action, operation, outcome,
  status_code, tokens_input_uncached, tokens_cache_read, tokens_cache_write, tokens_output, cost_usd, cost_basis, latency_ms, collector,
  event_hash, standing, match, credential_id, findings, kafka_partition, kafka_offset, record_index, stored_at, claimant)
SELECT
  concat('load/', toString(h_session % 5)), concat('load-', toString(n)), seen, received, seen,
  ${lane('lane')}, ${lane('fingerprint')}, ${lane('hint')}, if(${lane('hint')} = '', '', provider_), if(${lane('hint')} = '', 'none', 'api_key'), ${lane('org')},
  user_, ip_, if(h_session % 5 = 0, '', concat('host-', toString(person))), ${lane('agent')}, concat('2.1.', toString(300 + ${rows.day})),
  session_, concat('req_', lower(hex(h_row))), concat('github.com/acme/', ${at(REPOS, `(repo_ % ${REPOS.length})`)}, if(repo_ < ${REPOS.length}, '', concat('-', toString(intDiv(repo_, ${REPOS.length}))))),
  ${at(['main', 'main', 'develop', 'fix/timeouts', 'feature/import', 'release'], '(h_session % 6)')},
  provider_, ${modelAt((model) => model)}, ${lane('environment')}, 'execution', 'messages',
  multiIf(failure < 10, 'failed', failure < 15, 'rate_limited', 'success'), multiIf(failure < 10, 529, failure < 15, 429, 200),
  uncached, cache_read, cache_write, output_,
  toDecimal64(1000 * (uncached * ${modelAt((model) => priceOf(model).input)} + cache_read * ${modelAt((model) => priceOf(model).cacheRead)}
    + cache_write * ${modelAt((model) => priceOf(model).cacheWrite)} + output_ * ${modelAt((model) => priceOf(model).output)}) / 1e9, 9),
  'estimated', toUInt32(500 + output_ * 12), concat('collector-', toString(h_session % 5)),
  cityHash64('load', n), standing_,
  multiIf(${lane('kind')} IN ('known', 'revoked', 'expired'), 'proven', ${lane('kind')} = 'hint', 'probable', ${lane('kind')} = 'ambiguous', 'ambiguous', 'none'),
  ${lane('credential_id')},
  arrayFilter(finding -> finding != '', [if(standing_ = 'known', '', ${lane('finding')}), ${lane('shared_finding')}]),
  ${lane('partition')}, n, 0, stored, dictGet('${database}.claims_by_partition', 'claimant', toUInt64(${lane('partition')}))
FROM (
  SELECT *,
    fromUnixTimestamp64Milli(seen_ms, 'UTC') AS seen,
    fromUnixTimestamp64Milli(seen_ms + 150 + toInt64(h_row % 2000), 'UTC') AS received,
    fromUnixTimestamp64Milli(intDiv(seen_ms + 150 + toInt64(h_row % 2000), 1000) * 1000 + 1000, 'UTC') AS stored,
    ${standing} AS standing_,
    ${hash(`'member'`, 'lane_index', `h_session % ${lane('people')}`)} % ${people} AS person,
    concat(lower(${at(FIRST, `(person % ${FIRST.length})`)}), '.', lower(${at(LAST, `(intDiv(person, ${FIRST.length}) % ${LAST.length})`)}), toString(intDiv(person, ${FIRST.length * LAST.length})), '@acme.example') AS user_,
    ${hash(`'address'`, 'person', '(h_session % 4) = 0')} AS h_address,
    concat('10.', toString(h_address % 200), '.', toString(intDiv(h_address, 256) % 250), '.', toString(2 + intDiv(h_address, 65536) % 250)) AS ip_,
    ${hash(`'repo'`, 'lane_index', `intDiv(h_session, 7) % ${lane('repos')}`)} % ${REPOS_MAX} AS repo_,
    if(h_row % 5 = 0, ${lane('model_b')}, ${lane('model_a')}) AS model_index,
    ${modelAt((model) => priceOf(model).provider)} AS provider_,
    intDiv(h_row, 65536) % 1000 AS failure,
    if(failure < 15, 0, toUInt64(${exponential('intDiv(h_row, 4096)', 350)})) AS uncached,
    if(failure < 15 OR step = 0, 0, toUInt64(least(180000, 12000 + step * 1800))) AS cache_read,
    if(failure < 15, 0, toUInt64(if(step = 0, 12000, ${exponential('intDiv(h_row, 1048576)', 1800)}))) AS cache_write,
    if(failure < 15, 0, toUInt64(${exponential('intDiv(h_row, 16777216)', 420)})) AS output_
  FROM (
    SELECT n, step, h_session, lane_index, ${hash(`'row'`, 'n')} AS h_row,
      concat(lower(hex(h_session)), '-', toString(session_number)) AS session_,
      -- Sessions begin mostly around noon; their steps follow half a minute apart, and none lies beyond the end.
      least(${rows.fromMs} + toInt64(${span} * (place + 0.12 * sin(2 * pi() * place))) + toInt64(step) * (15000 + toInt64(h_session % 30000)) + toInt64(h_row % 997), ${rows.toMs - 1}) AS seen_ms,
      dictGet('${dictionary}', (${LANE_ATTRIBUTES.map(([name]) => `'${name}'`).join(', ')}), toUInt64(lane_index)) AS l
    FROM (
      SELECT n, run, session_number, h_session,
        if(n % ${ROWS_PER_RUN} >= cut, n % ${ROWS_PER_RUN} - cut, n % ${ROWS_PER_RUN}) AS step,
        -- By the run and not the row, because sessions begin at one time.
        least(0.999999, greatest(0, (run * ${ROWS_PER_RUN} - ${rows.dayFirstRow}) / ${Math.max(1, rows.dayEndRow - rows.dayFirstRow)})) AS place,
        if(h_session % ${UNATTRIBUTED_ONE_IN} = 0, ${lanes - 1}, toUInt32(${lanes} * pow(${share('intDiv(h_session, 1024)', 30)}, ${SKEW}))) AS lane_index
      FROM (
        SELECT n, intDiv(n, ${ROWS_PER_RUN}) AS run, ${hash(`'cut'`, 'run')} % ${ROWS_PER_RUN} AS cut,
          run * 2 + (n % ${ROWS_PER_RUN} >= cut) AS session_number, ${hash(`'session'`, 'session_number')} AS h_session
        FROM (SELECT number AS n FROM numbers(${rows.firstRow}, ${rows.endRow - rows.firstRow}))
      )
    )
  )
)`;
}

/** How rows spread over days, up to `nowMs`: fewer at weekends, and today's only as far as the day is. Oldest first. */
export function daysOfRows(rows: number, days: number, nowMs: number): DayOfRows[] {
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const starts = Array.from({ length: days }, (_unused, index) => today - (days - 1 - index) * DAY_MS);
  const weightOf = (fromMs: number): number => {
    const weekday = new Date(fromMs).getUTCDay();
    const whole = weekday === 0 || weekday === 6 ? 0.45 : 1;
    return fromMs === today ? (whole * (nowMs - today)) / DAY_MS : whole;
  };
  const total = starts.reduce((sum, start) => sum + weightOf(start), 0);
  let weight = 0;
  return starts.map((fromMs, day) => {
    const firstRow = Math.round((rows * weight) / total);
    weight += weightOf(fromMs);
    const endRow = day === days - 1 ? rows : Math.round((rows * weight) / total);
    const toMs = fromMs === today ? nowMs : fromMs + DAY_MS;
    return { firstRow, endRow, dayFirstRow: firstRow, dayEndRow: endRow, fromMs, toMs, day, days };
  });
}
