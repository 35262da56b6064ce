import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { createRandom } from '../../measuring/random.ts';
import { limitResult, type Bench, type BenchContext, type BenchResult } from '../bench.ts';
import { keepArriving } from './arriving.ts';
import { clickAround, quantile, type Click, type Timings } from './clicking.ts';
import { costOf, type Cost } from './cost.ts';
import { openLedger, writeLedger, type OpenedLedger, type PreparedLedger } from './ledger.ts';
import { findTargets, pagesOf, type PageTarget } from './pages.ts';

/** The windows of the yardstick, and how long their pages may take at the 95th percentile, in milliseconds. */
const LIMITS_MS = { '7d': 150, '90d': 400 } as const;
type Span = keyof typeof LIMITS_MS;
const DAYS: Record<Span, number> = { '7d': 7, '90d': 90 };
/** With so many lanes a window of 7 days has this long. */
const MANY_LANES_LIMIT_MS = 250;
const GROWTH_MAX = 2;
const READERS = 10;
/** How long one looks at a page, in the mean: a person's pace. Without it ten readers measure how long their queue is. */
const THINK_MS = 2_000;
const EVENTS_PER_SECOND = 2_000;
/** How long readers click over one window, pages and queries each: some 550 clicks, so that a p95 is not the slowest of a few. */
const CLICKING_MS = 120_000;
const WARMING_MS = 10_000;
const SIZES = [10_000_000, 100_000_000];
const DAY_MS = 86_400_000;

/** p50 and p95 of one page or query over one window of one ledger. */
interface Figure {
  window: Span;
  name: string;
  via: 'page' | 'query';
  p50: number;
  p95: number;
  answers: number;
  cost?: Cost;
}

export const reads: Bench = {
  id: 'P8',
  summary: `every page and its queries over 7 and 90 days, with ${READERS} readers who look at each for ${THINK_MS / 1000} s while events arrive`,
  async run(context) {
    const ledgers = await ledgersOf(context);
    const measured: { ledger: PreparedLedger; figures: Figure[] }[] = [];
    for (const ledger of ledgers) measured.push({ ledger, figures: await measure(context, ledger) });
    return resultsOf(measured);
  },
};

/** Those that are named, in their order; else ones of ten and a hundred million rows, written now. */
async function ledgersOf(context: BenchContext): Promise<PreparedLedger[]> {
  if (context.ledgers.length > 0) {
    return context.ledgers.map((home) => {
      if (!existsSync(home)) throw new Error(`--ledger: there is nothing at ${home}`);
      return { home, title: basename(home) };
    });
  }
  const written: PreparedLedger[] = [];
  for (const rows of SIZES) written.push(await writeLedger(context, rows));
  return written;
}

async function measure(context: BenchContext, prepared: PreparedLedger): Promise<Figure[]> {
  context.log(`P8: opening ${prepared.home}`);
  const ledger = await openLedger(context, prepared);
  const random = createRandom(8);
  const found = await findTargets(async <Answer>(path: string) => (await ask(ledger, path)) as Answer);
  const pick = <T>(values: readonly T[]): T | undefined => (values.length === 0 ? undefined : random.pick(values));
  const pages = (window: Span): PageTarget[] => {
    const fromMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - (DAYS[window] - 1) * DAY_MS;
    return pagesOf(found, window, new Date(fromMs).toISOString(), pick);
  };
  const figures: Figure[] = [];
  const stop = new AbortController();
  const costs = await costsOf(ledger, pages);
  const arriving = keepArriving(ledger.ready, EVENTS_PER_SECOND, AbortSignal.any([stop.signal, context.stopped]));
  arriving.catch(() => undefined);
  for (const window of ['7d', '90d'] as const) {
    for (const via of ['query', 'page'] as const) {
      const next = (): Click => {
        const page = random.pick(pages(window));
        return via === 'page'
          ? { name: page.name, url: ledger.ready.dashboard_url + page.page }
          : { name: page.name, url: ledger.ready.query_api_url + random.pick(page.queries) };
      };
      const click = (forMs: number): Promise<Timings> =>
        clickAround({
          ...{ readers: READERS, thinkMs: THINK_MS, forMs, next, random: () => random.fraction() },
          ...{ cookie: ledger.cookie, signal: context.stopped },
        });
      await click(WARMING_MS);
      for (const [name, times] of await click(CLICKING_MS)) {
        const cost = via === 'query' ? costs.get(`${window} ${name}`) : undefined;
        const figure = {
          window,
          name,
          via,
          p50: quantile(times, 0.5),
          p95: quantile(times, 0.95),
          answers: times.length,
        };
        figures.push(cost === undefined ? figure : { ...figure, cost });
        context.log(
          `P8 ${prepared.title} ${window} ${via} ${name}: p50 ${ms(figure.p50)}, p95 ${ms(figure.p95)}, ${times.length} answers${told(cost)}`,
        );
      }
    }
  }
  stop.abort();
  context.log(`P8: ${Math.round(await arriving)} events/s arrived meanwhile`);
  await ledger.stop();
  return figures;
}

async function ask(ledger: OpenedLedger, path: string): Promise<unknown> {
  const response = await fetch(ledger.ready.query_api_url + path, { headers: { cookie: ledger.cookie } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** What each page's queries have the engine read, asked once while nothing else does. By window and page. */
async function costsOf(ledger: OpenedLedger, pages: (window: Span) => PageTarget[]): Promise<Map<string, Cost>> {
  const costs = new Map<string, Cost>();
  for (const window of ['7d', '90d'] as const) {
    for (const { name, queries } of pages(window)) {
      const total = { rows: 0, bytes: 0, ms: 0 };
      for (const query of queries) {
        const cost = await costOf(ledger.ready.query_api_url + query, ledger.cookie, ledger.engine);
        total.rows += cost.rows;
        total.bytes += cost.bytes;
        total.ms += cost.ms;
      }
      costs.set(`${window} ${name}`, total);
    }
  }
  return costs;
}

const ms = (value: number) => `${Math.round(value)} ms`;
const told = (cost: Cost | undefined) =>
  cost === undefined
    ? ''
    : `; alone ${ms(cost.ms)}, ${cost.rows.toLocaleString('en-US')} rows, ${(cost.bytes / 1e6).toFixed(1)} MB read`;

/** A line per ledger, window and way of asking: the slowest page's p95 against the limit; and the growth from the first ledger to the last. */
function resultsOf(measured: { ledger: PreparedLedger; figures: Figure[] }[]): BenchResult[] {
  const results: BenchResult[] = [];
  for (const { ledger, figures } of measured) {
    const isOfManyLanes = /100k-lanes/.test(ledger.title);
    for (const figure of figures) {
      const limit = isOfManyLanes && figure.window === '7d' ? MANY_LANES_LIMIT_MS : LIMITS_MS[figure.window];
      const what = `${ledger.title}, ${figure.window}, ${figure.via === 'page' ? 'the page' : 'queries of the page'} ${figure.name}: p95`;
      const note = `p50 ${ms(figure.p50)} of ${figure.answers} answers${told(figure.cost)}`;
      results.push(limitResult({ id: 'P8', what, unit: 'ms', ours: figure.p95, note }, limit));
    }
  }
  const [small, large] = [
    measured.at(0),
    measured.find(({ ledger }) => !/100k-lanes/.test(ledger.title) && ledger !== measured.at(0)?.ledger),
  ];
  for (const figure of small === undefined || large === undefined ? [] : large.figures) {
    const before = small?.figures.find(
      (one) => one.name === figure.name && one.via === figure.via && one.window === figure.window,
    );
    if (before === undefined) continue;
    const growth = figure.p95 / before.p95;
    const what = `growth of p95 from ${small!.ledger.title} to ${large!.ledger.title}, ${figure.window}, ${figure.via} ${figure.name}`;
    results.push(limitResult({ id: 'P8', what, unit: '×', ours: growth }, GROWTH_MAX));
  }
  return results;
}
