import { randomUUID } from 'node:crypto';
import { createClient } from '@clickhouse/client';
import { catchUp } from '../catch-up.ts';
import { createRandom } from '../../measuring/random.ts';
import { createLedgerView } from '../system/ledger-view.ts';
import { createCheck, type CheckResult } from '../verify/check.ts';
import { checkSent } from '../verify/ledger-rows.ts';
import { createCollectors } from '../workload/collectors.ts';
import { createEventSource, type EventSource } from '../workload/events.ts';
import { unknownLane } from '../workload/lanes.ts';
import type { Harm } from './harm.ts';
import { checkTarget, type Target } from './target.ts';

const COLLECTORS = 3;
const LANES = 20;
/** A balancer before ingest answers 502 and 504 while no ingest is behind it. */
const UNAVAILABLE = [502, 503, 504];
/** An installation may have any number of partitions: so many sessions reach nearly all of them. */
const MARKERS = 48;

export interface AgainstOptions {
  target: Target;
  faults: number;
  harm: Harm;
  seed: number;
  eventsPerSecond: number;
  /** How long the ledger may take after a fault, milliseconds. */
  recoveryMs: number;
  onProgress(line: string): void;
}

/**
 * Posts events to an installation as careful collectors do while somebody harms it, and then compares its ledger with what was sent.
 * Events are of keys that nobody registered, under sources of their own (`chaos/<run>-…`), so that they are told from everybody else's.
 */
export async function runAgainst(
  options: AgainstOptions,
): Promise<{ checks: CheckResult[]; counts: Record<string, number> }> {
  const { target, seed, recoveryMs, onProgress } = options;
  const { url, user, password, database } = target.clickhouse;
  const client = createClient({ url, username: user, password, database });
  const random = createRandom(seed);
  const name = randomUUID().slice(0, 8);
  const registry = { lanes: Array.from({ length: LANES }, () => unknownLane(random)) };
  const startMs = Date.now();
  const sourceOf = (part: string): EventSource =>
    createEventSource({ random: random.fork(), registry, name: `${name}-${part}`, startMs, partitions: MARKERS });
  const collectors = createCollectors({
    ...{ ingestUrl: target.ingestUrl, secret: target.collectorKey, putOnBus: null, random: random.fork() },
    sources: Array.from({ length: COLLECTORS }, (_, index) => sourceOf(String(index))),
    eventsPerSecond: options.eventsPerSecond,
    unavailable: UNAVAILABLE,
  });
  const ledgerCatchesUp = catchUp(createLedgerView(client, database), collectors, sourceOf('markers'));
  const settled = createCheck('the ledger catches up after the faults');
  try {
    await checkTarget(target, client);
    await ledgerCatchesUp(recoveryMs);
    onProgress(`events of sources chaos/${name}-… arrive at ${database}.ledger`);
    collectors.start();
    try {
      for (let number = 1; number <= options.faults; number++) {
        await options.harm(number);
        const harmedMs = performance.now();
        await ledgerCatchesUp(recoveryMs);
        const seconds = ((performance.now() - harmedMs) / 1000).toFixed(1);
        onProgress(
          `fault ${number}/${options.faults}: recovered in ${seconds} s; ${collectors.acknowledged.size} events`,
        );
      }
    } catch (error) {
      settled.fail(String(error));
    }
    await collectors.finish();
    await ledgerCatchesUp(recoveryMs).catch((error: unknown) => settled.fail(String(error)));
    const { checks } = await checkSent(client, `${database}.ledger`, `chaos/${name}-`, collectors);
    const refused = createCheck('no valid event was refused');
    for (const refusal of collectors.refusals) refused.fail(refusal);
    return {
      checks: [
        settled.result(`${options.faults} faults`),
        refused.result(`${collectors.counts.posts} posts`),
        ...checks,
      ],
      counts: {
        'events sent': collectors.sent.size,
        'events acknowledged': collectors.acknowledged.size,
        'events sent again': collectors.counts.repeats,
        posts: collectors.counts.posts,
        'posts without an answer': collectors.counts.unanswered,
        'posts answered 502, 503 or 504': collectors.counts.unavailable,
      },
    };
  } finally {
    await client.close();
  }
}
