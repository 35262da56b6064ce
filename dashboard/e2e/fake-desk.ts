import * as contract from '@lanewatch/query-api/contract';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProblemAnswer } from './fake-registry.ts';
import { decimal, type Organisation } from './organisation.ts';

const DAY_MS = 86_400_000;
const DAYS = 7;

/** The analyst's desk of the fake: one answer to each kind of question, and what a page needs to ask it. */
export interface FakeDesk {
  saved: contract.SavedQuery[];
  ran: contract.SqlRequest[];
  /** What every query is said to take. */
  seconds: number;
}
export const newDesk = (): FakeDesk => ({ saved: [], ran: [], seconds: 0.1 });

const GALLERY: contract.GalleryEntry[] = [
  {
    title: 'Spend by person',
    sql: 'SELECT person, sum(cost_usd) AS usd FROM usage WHERE repo = {repo:String} GROUP BY person',
    parameters: { repo: '' },
    chart: { kind: 'bar', x: 'person', y: ['usd'] },
  },
];

const RESULT: contract.SqlResult = {
  columns: [
    { name: 'person', type: 'LowCardinality(String)' },
    { name: 'usd', type: 'Float64' },
  ],
  rows: [
    ['mira.santos', 12.5],
    ['<img src=x onerror=alert(1)>', 3],
  ],
  truncated: false,
  statistics: { elapsed_ms: 12, rows_read: 4_200, bytes_read: 99_000 },
};

/** What a query tells while it runs, for a page that listens. */
export class QueryEvents {
  readonly #last: object;
  constructor(last: object) {
    this.#last = last;
  }
  send(response: ServerResponse): void {
    const progress = { kind: 'progress', rows_read: 1, rows_total: 2, bytes_read: 1, elapsed_ms: 1 };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end([progress, this.#last].map((said) => `data: ${JSON.stringify(said)}\n\n`).join(''));
  }
}

/** Answers below `/v1/sql`: to a page that listens for what a query tells, that. A text without FROM is wrong, at its second line. */
export function sqlAnswer(desk: FakeDesk, request: IncomingMessage, url: URL, body: string, nowMs: number): unknown {
  const [, , , id, verb] = url.pathname.split('/').map(decodeURIComponent);
  const asked = {
    method: request.method ?? 'GET',
    id,
    verb,
    body: body === '' ? undefined : (JSON.parse(body) as unknown),
  };
  if (request.headers.accept !== 'text/event-stream') return plainAnswer(desk, asked, nowMs);
  try {
    return new QueryEvents({ kind: 'result', ...(plainAnswer(desk, asked, nowMs) as object) });
  } catch (error) {
    if (!(error instanceof ProblemAnswer)) throw error;
    return new QueryEvents({ kind: 'problem', detail: error.message, errors: error.errors });
  }
}

function plainAnswer(
  desk: FakeDesk,
  { method, id, verb, body }: { method: string; id: string | undefined; verb: string | undefined; body: unknown },
  nowMs: number,
): unknown {
  const at = new Date(nowMs).toISOString();
  switch (`${method} ${id ?? ''}`) {
    case 'POST ': {
      const request = contract.sqlRequestSchema.parse(body);
      desk.ran.unshift(request);
      if (/from/i.test(request.sql)) return contract.sqlResultSchema.parse(RESULT);
      const message = 'line 2, column 1: Syntax error';
      throw new ProblemAnswer(400, message, [{ path: 'sql', message }]);
    }
    case 'POST estimate':
      return contract.sqlEstimateSchema.parse({ rows: 100_000_000, seconds: desk.seconds, seconds_max: 30 });
    case 'GET values':
      return contract.sqlValuesSchema.parse({ columns: { repo: ['acme/web', 'acme/api'], model: ['gpt-5.4'] } });
    case 'GET schema':
      return contract.sqlSchemaSchema.parse({
        connection: { url: 'http://127.0.0.1:4623', user: 'analyst', database: 'lanewatch' },
        tables: [
          {
            name: 'usage',
            comment: 'One row per request of a key',
            columns: ['person', 'model', 'repo'].map((name) => ({ name, type: 'String', comment: `The ${name}` })),
          },
        ],
        functions: ['sum', 'count'],
      });
    case 'GET history':
      return contract.sqlHistorySchema.parse({
        items: desk.ran.map(({ sql, parameters }, index) => ({
          ...{
            id: String(desk.ran.length - index),
            at,
            sql,
            parameters,
            elapsed_ms: 12,
            rows_read: 4_200,
            problem: '',
          },
        })),
      });
    case 'GET queries':
      return contract.savedQueriesSchema.parse({ items: desk.saved, gallery: GALLERY });
    case 'POST queries': {
      const input = contract.savedQueryInputSchema.parse(body);
      const saved = { ...input, id: `query-${desk.saved.length}`, owner: 'ada', is_own: true };
      desk.saved.push(contract.savedQuerySchema.parse({ ...saved, created_at: at, updated_at: at }));
      return desk.saved.at(-1);
    }
    case 'DELETE queries':
      desk.saved = desk.saved.filter((one) => one.id !== verb);
      return null;
    default:
      throw new ProblemAnswer(404, 'There is no such route.');
  }
}

const SUMMED: Partial<Record<contract.SpendDimension, keyof Organisation['rows'][number]>> = {
  ...{ lane: 'lane', user: 'user', agent: 'agent', repo: 'repo', model: 'model', org: 'org', standing: 'standing' },
};

/** Answers below `/v1/spend`: sums of the organisation's rows, each reported, the time before without any. */
export function spendAnswer(org: Organisation, id: string | undefined, query: object, nowMs: number): unknown {
  const at = (ms: number) => new Date(ms).toISOString();
  if (id === 'forecast') {
    const month = at(nowMs).slice(0, 7);
    const past = [{ month: '2026-10-01', forecast_usd: '110', actual_usd: '100', error: 0.1 }];
    return contract.spendForecastSchema.parse({
      ...{ month: `${month}-01`, spent_usd: '80', forecast_usd: '120.5', weeks: 4, past, method: 'By weekday.' },
      days: [
        { day: `${month}-01`, spent_usd: '80', expected_usd: '90' },
        { day: `${month}-02`, spent_usd: null, expected_usd: '120.5' },
      ],
      budget_usd: '100',
    });
  }
  if (id === 'budgets') {
    const line = { period: 'month', budget_usd: '100', used_usd: '80', share: 0.8, from: at(nowMs) };
    return contract.spendBudgetsSchema.parse({
      keys: [{ id: 'cred-1', name: 'web', project: 'web', owner: 'ada', ...line }],
      projects: [{ project: 'web', keys: 1, ...line }],
    });
  }
  const asked = contract.spendQuerySchema.parse(query);
  const fromMs = asked.from === undefined ? Math.floor(nowMs / DAY_MS - DAYS + 1) * DAY_MS : Date.parse(asked.from);
  const toMs = asked.to === undefined ? nowMs + 1 : Date.parse(asked.to);
  const column = SUMMED[asked.by] ?? 'environment';
  const rows = org.rows.filter((row) => {
    const seenMs = Date.parse(row.seen_at);
    const fits = Object.entries(SUMMED).every(([by, name]) => {
      const values = asked[by as contract.SpendDimension];
      return values === undefined || values.includes(String(row[name]));
    });
    return fits && seenMs >= fromMs && seenMs < toMs;
  });
  const bounds = { from: at(fromMs), to: at(toMs), is_complete: true };
  if (id === 'savings') {
    const line = { list_usd: '9', switched_usd: '3', switch_saves_usd: '6', cache_saved_usd: '1', cacheable_usd: null };
    const models = [{ model: 'claude-sonnet-4-5', provider: 'anthropic', calls: 3, cost_usd: '10', ...line }];
    const more = { price_list: 'prices 1.0', switch_to: 'claude-haiku-4-5', cacheable_share: 0.5, models };
    return contract.spendSavingsSchema.parse({ ...bounds, ...more });
  }
  const nanoOf = (usd: string) => BigInt(Math.round(Number(usd) * 1e9));
  const sumsOf = (some: typeof rows) => {
    const cost = decimal(some.reduce((sum, row) => sum + nanoOf(row.cost_usd), 0n));
    return {
      ...{ cost_usd: cost, calls: some.length, previous_usd: '0' },
      tokens: { input_uncached: some.length, cache_read: 0, cache_write: 0, output: some.length },
      basis: { reported_usd: cost, estimated_usd: '0', unpriced_calls: 0 },
    };
  };
  const by = Map.groupBy(rows, (row) => String(row[column as keyof typeof row]));
  const values = [...by].sort(([, a], [, b]) => Number(sumsOf(b).cost_usd) - Number(sumsOf(a).cost_usd));
  const total = sumsOf(rows);
  const starts = Array.from(
    { length: Math.max(1, Math.ceil((toMs - fromMs) / DAY_MS)) },
    (_, day) => fromMs + day * DAY_MS,
  );
  const part = (standing: string) => {
    const { cost_usd, calls } = sumsOf(rows.filter((row) => row.standing === standing));
    return { cost_usd, calls };
  };
  return contract.spendSchema.parse({
    ...{ by: asked.by, ...bounds, previous: { from: at(2 * fromMs - toMs), to: at(fromMs) } },
    ...{ total, unknown: part('unknown'), unattributed: part('unattributed'), others: null },
    rows: values.map(([value, some]) => ({
      ...{
        value,
        name: some[0]!.hint && asked.by === 'lane' ? some[0]!.hint : '',
        credential_ids: null,
        ...sumsOf(some),
      },
      share: Number(total.cost_usd) === 0 ? 0 : Number(sumsOf(some).cost_usd) / Number(total.cost_usd),
    })),
    series: {
      step_seconds: DAY_MS / 1000,
      starts: starts.map(at),
      values: values.slice(0, 8).map(([value, some]) => ({
        value,
        cost_usd: starts.map(
          (start) =>
            sumsOf(some.filter((row) => Math.floor((Date.parse(row.seen_at) - start) / DAY_MS) === 0)).cost_usd,
        ),
      })),
    },
  });
}
