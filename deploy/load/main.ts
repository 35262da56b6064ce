import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { UsageEventInput } from '@lanewatch/ingest/contract';
import { generateEvents } from './generate.ts';
import { loadLedger } from './ledger/main.ts';
import type { LedgerShape } from './ledger/fill.ts';
import { sendAtRate } from './pace.ts';
import { sendEvents } from './send.ts';

/**
 * `npm run load`: events of the invented organisation, dated now, at a chosen rate against any ingest; with `--rows`, a ledger of the past
 * straight in the engine.
 */
interface Options {
  url: string;
  key: string;
  rate: number;
  seconds: number;
  batch: number;
  seed: number;
  print: boolean;
  /** What ledger to write instead of sending anything. */
  ledger: LedgerShape | null;
}

const YEAR_MS = 365 * 86_400_000;
const IN_FLIGHT_MAX = 8;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: process.env['INGEST_URL'] ?? 'http://127.0.0.1:4618' },
      key: { type: 'string', default: process.env['COLLECTOR_KEY'] ?? '' },
      rate: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '10' },
      batch: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      print: { type: 'boolean', default: false },
      rows: { type: 'string' },
      lanes: { type: 'string', default: '2000' },
      days: { type: 'string', default: '90' },
    },
  });
  const number = (name: 'rate' | 'seconds' | 'batch' | 'seed' | 'rows' | 'lanes' | 'days', min: number) => {
    const value = Number(values[name]);
    if (!Number.isFinite(value) || value < min) throw new Error(`--${name} must be a number of at least ${min}.`);
    return value;
  };
  const ledger =
    values.rows === undefined
      ? null
      : {
          rows: Math.round(number('rows', 1)),
          lanes: Math.round(number('lanes', 20)),
          days: Math.round(number('days', 1)),
          seed: Math.round(number('seed', 0)),
          nowMs: Date.now(),
        };
  if (!values.print && ledger === null && values.key === '') {
    throw new Error(
      'A collector key is needed: --key KEY or COLLECTOR_KEY; npm run -s lanewatch -- collector-key issues one.',
    );
  }
  return {
    url: values.url.replace(/\/+$/, ''),
    key: values.key,
    rate: number('rate', 0.1),
    seconds: number('seconds', 0.1),
    batch: Math.round(number('batch', 1)),
    seed: Math.round(number('seed', 0)),
    print: values.print,
    ledger,
  };
}

/** Endless events with identities of this run and the time at which they are taken. */
function* freshEvents(seed: number): Generator<UsageEventInput> {
  const startedAt = Date.now();
  const history = { seed, from: startedAt - YEAR_MS, to: startedAt, anchor: startedAt };
  for (const event of generateEvents(history)) {
    yield { ...event, id: `${event.id}-${startedAt}`, time: new Date().toISOString() };
  }
}

/** The next so many; iterator.take would close the source behind them. */
function nextOf(source: Iterator<UsageEventInput>, count: number): UsageEventInput[] {
  const events: UsageEventInput[] = [];
  while (events.length < count) {
    const next = source.next();
    if (next.done) throw new Error('The invented organisation has no more events for this long a run.');
    events.push(next.value);
  }
  return events;
}

async function run(options: Options): Promise<void> {
  const { rate, seconds, batch } = options;
  const source = freshEvents(options.seed);
  const latencies: number[] = [];
  let accepted = 0;
  const send = async (count: number) => {
    const from = performance.now();
    // Not `accepted += await …`, which adds to what it was before the wait: other requests are answered meanwhile.
    const taken = await sendEvents(options.url, options.key, nextOf(source, count));
    accepted += taken;
    latencies.push(performance.now() - from);
  };
  const startedAt = performance.now();
  const clock = { now: () => performance.now() - startedAt, wait: (ms: number) => delay(ms) };
  await sendAtRate({ rate, total: Math.round(rate * seconds), batch, inFlightMax: IN_FLIGHT_MAX }, send, clock);
  // A timer may be a moment early, and that is no higher rate.
  const tookS = Math.max(clock.now() / 1000, seconds);
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0).toFixed(1);
  console.log(
    `${accepted} events accepted in ${tookS.toFixed(1)} s: ${Math.round(accepted / tookS)}/s; answer time of a request: median ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
}

try {
  const options = readOptions();
  if (options.ledger !== null) {
    await loadLedger(options.ledger);
  } else if (options.print) {
    for (const event of freshEvents(options.seed).take(Math.round(options.rate * options.seconds))) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
    }
  } else {
    await run(options);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
