import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { post, Session, startInstallation, type Ready } from '../e2e/installation.ts';
import { limitResult, median, type Bench, type BenchContext, type BenchResult } from './bench.ts';
import { keepArriving } from './reads/arriving.ts';
import { timeOf } from './reads/clicking.ts';

/** Allowed by the grammar, within every limit until its time is up, and as dear as a query can be. */
const BOMBS = [
  'SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1',
  'SELECT count() FROM numbers(1000000) AS a, numbers(1000000) AS b WHERE cityHash64(a.number, b.number) = 1',
  'SELECT uniqExact(cityHash64(number)) FROM numbers(1000000000000)',
  "SELECT max(length(replaceRegexpAll(toString(number), '(.)(.)', '\\2\\1'))) FROM numbers(1000000000000)",
];
const SLOWER_MAX = 2;
const EVENTS_PER_SECOND = 1_000;
const PROBES = 40;
const POLL_MS = 10;
const ROW_DEADLINE_MS = 120_000;
const SETTLE_MS = 5_000;
const PAGE = '/v1/overview?window=24h';

/** How long things took, in milliseconds. */
interface Figures {
  row: number[];
  page: number[];
}

export const bombs: Bench = {
  id: 'P14',
  summary: 'how much slower rows become visible, and pages answer, while an analyst asks what has no end',
  async run(context) {
    const running = await startInstallation(join(context.temporaryDirectory(), 'home'));
    context.atEnd(() => running.stop());
    const { ready } = running;
    const { cookie } = await Session.open(ready);
    const session = `${cookie.name}=${cookie.value}`;
    const stop = new AbortController();
    context.atEnd(() => Promise.resolve(stop.abort()));
    const arriving = keepArriving(ready, EVENTS_PER_SECOND, stop.signal);
    arriving.catch(() => undefined);
    await delay(SETTLE_MS);
    const without = await probe(ready, session);
    const thrown = Promise.all(BOMBS.map((bomb) => throwUntil(ready, bomb, stop.signal)));
    thrown.catch(() => undefined);
    await delay(SETTLE_MS);
    const beside = await probe(ready, session);
    stop.abort();
    await thrown;
    context.log(`P14: ${Math.round(await arriving)} events/s arrived meanwhile`);
    return [
      resultOf('accept → row visible', without.row, beside.row, context),
      resultOf(`GET ${PAGE}`, without.page, beside.page, context),
    ];
  },
};

function resultOf(what: string, without: number[], beside: number[], context: BenchContext): BenchResult {
  const [before, after] = [median(without), median(beside)];
  const note = `median ${Math.round(after)} ms for ${Math.round(before)} ms`;
  context.log(`P14 ${what}: ${note}`);
  const name = `${what} beside ${BOMBS.length} queries without an end: times slower`;
  return limitResult({ id: 'P14', what: name, unit: '×', ours: after / before, note }, SLOWER_MAX);
}

/** Asks as the analyst, past query-api and what it allows each person, again whenever the engine gives up. */
async function throwUntil({ clickhouse }: Ready, bomb: string, signal: AbortSignal): Promise<void> {
  const headers = { 'x-clickhouse-user': clickhouse.user, 'x-clickhouse-key': clickhouse.password };
  while (!signal.aborted) {
    const text = await fetch(clickhouse.url, { method: 'POST', headers, body: bomb, signal })
      .then((answer) => answer.text())
      .catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    // Another end than that of its time or memory would mean that nothing was measured.
    if (text !== undefined && !/Code: (159|241)\b/.test(text)) throw new Error(`${bomb} ended: ${text}`);
  }
}

/** Events of lanes of their own, each timed from its acceptance to its row; and a page after each. */
async function probe(ready: Ready, cookie: string): Promise<Figures> {
  const figures: Figures = { row: [], page: [] };
  for (let number = 0; number < PROBES; number++) {
    const lane = fingerprintOf(`probe ${number} ${Date.now()}`);
    const event = { source: 'probe', id: lane, time: new Date().toISOString(), credential: { fingerprint: lane } };
    const { status, text } = await post(ready, '/v1/events', JSON.stringify(event));
    if (status >= 300) throw new Error(`ingest answered ${status}: ${text}`);
    const acceptedMs = performance.now();
    while (!(await hasRow(ready, cookie, lane))) {
      if (performance.now() - acceptedMs > ROW_DEADLINE_MS) throw new Error('A row did not come within two minutes');
      await delay(POLL_MS);
    }
    figures.row.push(performance.now() - acceptedMs);
    figures.page.push(await timeOf(ready.query_api_url + PAGE, cookie));
  }
  return figures;
}

async function hasRow({ query_api_url: url }: Ready, cookie: string, lane: string): Promise<boolean> {
  const answer = await fetch(`${url}/v1/ledger?lane=${lane}&limit=1&totals=false`, { headers: { cookie } });
  if (!answer.ok) throw new Error(`the ledger answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { items: unknown[] }).items.length > 0;
}
