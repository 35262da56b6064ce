import { pause } from '../until.ts';
import type { Random } from '../../measuring/random.ts';
import type { EventSource, PlannedEvent } from './events.ts';

/** What was sent, and what ingest vouched for. */
export interface SentEvents {
  /** Every event that was ever in a request: key → content its row must have. */
  readonly sent: ReadonlyMap<string, string>;
  /** Keys of those that ingest acknowledged. */
  readonly acknowledged: ReadonlySet<string>;
  /** Answers that no careful collector should ever get. */
  readonly refusals: readonly string[];
  readonly counts: { posts: number; unanswered: number; unavailable: number; repeats: number; pastIngest: number };
}

/** Collectors that post until told to stop, each batch until it is acknowledged. */
export interface Collectors extends SentEvents {
  start(): void;
  /** Resolves when every batch that was begun is acknowledged. */
  finish(): Promise<void>;
  /** Posts these events as one batch until they are acknowledged. */
  post(events: PlannedEvent[]): Promise<void>;
}

export interface CollectorsOptions {
  ingestUrl: string;
  secret: string;
  /** Puts events on the bus itself; resolves with whether the bus has confirmed them. Null where nobody may: all go through ingest. */
  putOnBus: ((events: PlannedEvent[]) => Promise<boolean>) | null;
  random: Random;
  /** One collector each. */
  sources: EventSource[];
  /** Of all collectors together, roughly. */
  eventsPerSecond: number;
  /** Statuses that ask to come again; ingest itself has 503 alone. */
  unavailable?: readonly number[];
}

const EVENTS_PER_BATCH_MAX = 40;
const ANSWER_DEADLINE_MS = 5_000;
const RETRY_PAUSE_MS = 100;
const REFUSALS_MAX = 20;
/** Of the batches, how many go past ingest. */
const PAST_INGEST = 0.1;
/** Events remembered for sending again long after: enough that a repeat often outlives a crash. */
const REMEMBERED_MAX = 5_000;

/** Collectors as they should be: they keep a batch until it is acknowledged, and send the same events again until then. */
export function createCollectors(options: CollectorsOptions): Collectors {
  const { random, sources, putOnBus, unavailable = [503] } = options;
  const sent = new Map<string, string>();
  const acknowledged = new Set<string>();
  const refusals: string[] = [];
  const remembered: PlannedEvent[] = [];
  const counts = { posts: 0, unanswered: 0, unavailable: 0, repeats: 0, pastIngest: 0 };
  let running: Promise<unknown> | null = null;
  let stopping = false;

  async function post(events: PlannedEvent[]): Promise<void> {
    const body = events.map(({ input }) => JSON.stringify(input)).join('\n');
    await sendUntilAcknowledged(events, () => isAcknowledged(body, events.length));
  }

  async function sendPastIngest(put: NonNullable<typeof putOnBus>, events: PlannedEvent[]): Promise<void> {
    counts.pastIngest += events.length;
    await sendUntilAcknowledged(events, () => put(events));
  }

  async function sendUntilAcknowledged(events: PlannedEvent[], attempt: () => Promise<boolean>): Promise<void> {
    for (const { key, expected } of events) sent.set(key, expected);
    while (!(await attempt())) await pause(RETRY_PAUSE_MS);
    for (const event of events) {
      acknowledged.add(event.key);
      if (remembered.length < REMEMBERED_MAX) remembered.push(event);
      else if (random.chance(0.1)) remembered[random.integer(0, REMEMBERED_MAX - 1)] = event;
    }
  }

  async function isAcknowledged(body: string, count: number): Promise<boolean> {
    counts.posts++;
    let status: number;
    let answer: string;
    try {
      const response = await fetch(`${options.ingestUrl}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${options.secret}` },
        body,
        signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
      });
      status = response.status;
      answer = await response.text();
    } catch {
      // Refused, cut off or timed out: nobody knows whether the events arrived, so they are sent again.
      counts.unanswered++;
      return false;
    }
    if (unavailable.includes(status)) {
      counts.unavailable++;
      return false;
    }
    if (status === 200 && (JSON.parse(answer) as { accepted?: number }).accepted === count) return true;
    if (refusals.length < REFUSALS_MAX) refusals.push(`status ${status} for ${count} events: ${answer.slice(0, 400)}`);
    return false;
  }

  async function collect(source: EventSource, own: Random): Promise<void> {
    const batchMeanPauseMs = (1_000 * sources.length * (EVENTS_PER_BATCH_MAX / 2)) / options.eventsPerSecond;
    while (!stopping) {
      const startedMs = performance.now();
      const events = Array.from({ length: own.integer(1, EVENTS_PER_BATCH_MAX) }, () => source.next());
      // Some of what was sent before comes again: within the batch, soon after, and across crashes.
      if (own.chance(0.2)) events.push(own.pick(events));
      for (let count = own.integer(0, 3); count > 0 && remembered.length > 0; count--) {
        events.push(own.pick(remembered));
        counts.repeats++;
      }
      await (own.chance(PAST_INGEST) && putOnBus !== null ? sendPastIngest(putOnBus, events) : post(events));
      const pauseMs = batchMeanPauseMs * (0.5 + own.fraction()) - (performance.now() - startedMs);
      if (pauseMs > 0) await pause(pauseMs);
    }
  }

  return {
    sent,
    acknowledged,
    refusals,
    counts,
    start() {
      running ??= Promise.all(sources.map((source) => collect(source, random.fork())));
    },
    async finish() {
      stopping = true;
      await running;
    },
    post,
  };
}
