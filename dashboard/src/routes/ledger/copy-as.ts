import { parseLedgerFilter, type LedgerTerm } from '@lanewatch/query-api/contract/ledger-filter';

/** Of an address, which a page has read-only. */
type Params = Pick<URLSearchParams, 'get' | 'getAll' | 'keys' | 'toString'>;

/** Names of columns as SQL: only ours ever stand there, but a check costs nothing. */
const column = (name: string): string => `\`${name.replaceAll(/[^a-z_]/g, '')}\``;

/** Text as a literal of SQL. Senders write values: nothing of one may end it. */
export function sqlText(value: string): string {
  return `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
}

const ENDPOINT = "if(ip != '', ip, host)";
const TOKENS = '(tokens_input_uncached + tokens_cache_read + tokens_cache_write + tokens_output)';

function termSql(term: LedgerTerm): string {
  const not = term.not ? 'NOT ' : '';
  if (term.kind === 'number') {
    return `${not}${term.field === 'tokens' ? TOKENS : column(term.field)} ${term.comparison} ${term.value}`;
  }
  const value = sqlText(term.value);
  if (term.field === 'finding' || term.field === 'flag') return `${not}has(${term.field}s, ${value})`;
  const name = term.field === 'endpoint' ? ENDPOINT : column(term.field);
  return term.isPrefix ? `${not}startsWith(${name}, ${value})` : `${name} ${term.not ? '!=' : '='} ${value}`;
}

/** The rows of an address as a statement, newest first. */
export function sqlOf(params: Params): string {
  const conditions: string[] = [];
  const several = (name: string): string[] => params.getAll(name).filter((value) => value !== '');
  for (const name of new Set(params.keys())) {
    const values = several(name);
    if (values.length === 0 || ['q', 'limit', 'cursor', 'order', 'totals', 'place'].includes(name)) continue;
    if (name === 'from') conditions.push(`seen_at >= parseDateTime64BestEffort(${sqlText(values[0] ?? '')}, 3, 'UTC')`);
    else if (name === 'to')
      conditions.push(`seen_at < parseDateTime64BestEffort(${sqlText(values[0] ?? '')}, 3, 'UTC')`);
    else if (name === 'without') conditions.push(...values.map((one) => `${column(one)} = ''`));
    else if (name === 'finding' || name === 'flag') conditions.push(`has(${name}s, ${sqlText(values[0] ?? '')})`);
    else {
      const left = name === 'endpoint' ? ENDPOINT : column(name);
      const right = values.map((one) => (name === 'status_code' ? String(Number(one)) : sqlText(one)));
      conditions.push(`${left} IN (${right.join(', ')})`);
    }
  }
  const positive = new Map<string, string[]>();
  for (const term of parseLedgerFilter(params.get('q') ?? '').terms) {
    if (term.not || term.kind === 'number') conditions.push(termSql(term));
    else positive.set(term.field, [...(positive.get(term.field) ?? []), termSql(term)]);
  }
  for (const any of positive.values()) conditions.push(any.length === 1 ? (any[0] ?? '') : `(${any.join(' OR ')})`);
  const where = conditions.length === 0 ? '' : `\nWHERE ${conditions.join('\n  AND ')}`;
  return `SELECT *\nFROM ledger${where}\nORDER BY seen_at DESC\nLIMIT 100`;
}

/** The rows of an address as a command for a shell. Nothing of a value can end its quotes. */
export function curlOf(base: string, params: Params): string {
  const query = params.toString().replaceAll("'", '%27');
  return `curl -sS -H "Authorization: Bearer $LANEWATCH_TOKEN" '${base}/v1/ledger${query === '' ? '' : `?${query}`}'`;
}
