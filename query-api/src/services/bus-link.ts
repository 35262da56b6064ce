import type { Bus, LatestView, Topics } from '@lanewatch/ingest/contract';
import type { Logger } from 'pino';
import type { DeadLetters } from '../collectors/dead-letters.ts';
import { followCollectorCounts } from '../overview/collectors.ts';
import type { CollectorTotals } from '../overview/collectors.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { OutboxPublisher } from '../registry/publisher.ts';
import { republish } from '../registry/overtake.ts';
import { reconcileTopic } from '../registry/reconcile.ts';
import type { Reconciliation } from '../registry/reconcile.ts';

const RETRY_MS = 1_000;
const CLOSE_PATIENCE_MS = 2_000;
const ANSWER_PATIENCE_MS = 5_000;
/** Ids named in one line of the log. */
const IDS_LOGGED_MAX = 20;

interface BusLinkParts {
  bus: Bus;
  topics: Topics;
  db: RegistryDatabase;
  publisher: OutboxPublisher;
  collectors: CollectorTotals;
  deadLetters: DeadLetters;
  logger: Logger;
  now: () => number;
  /** Consumer group that the bus is asked about. */
  group: string;
  /** How often the bus is asked whether it still answers. */
  lookMs: number;
}

/**
 * Sets up our side of the bus, trying until it works: topics, the allowlist's completeness, collectors' counts. From then on the bus is
 * asked again and again whether it answers.
 */
export function linkBus(parts: BusLinkParts): { isUp(): boolean; close(): Promise<void> } {
  const { bus, topics, db, publisher, collectors, deadLetters, logger, now, group, lookMs } = parts;
  const closing = new AbortController();
  let counts: LatestView | null = null;
  let letters: LatestView | null = null;
  let watch: ReturnType<typeof watchAnswers> | null = null;

  /** Sets it up; what the topic lacks is left to put on its way, for which nobody has to wait. */
  async function tryOnce(): Promise<Reconciliation['missing']> {
    await bus.ensureTopics([
      topics.credentials,
      topics.rules,
      topics.policies,
      topics.backtests,
      topics.collectorCounts,
      topics.deadLetter,
    ]);
    const { missing, overtaken, revoked, withdrawn } = await reconcileTopic(db, bus, topics.credentials, now());
    if (overtaken.length > 0) {
      const [ids, revokedIds] = [overtaken, revoked].map((all) => all.slice(0, IDS_LOGGED_MAX));
      logger.warn(
        { records: overtaken.length, ids, revoked: revoked.length, revokedIds },
        'the credentials topic was newer than this registry, as after a restore from a backup; what was revoked there is revoked here now, the rest is published again as it is here',
      );
      publisher.wake();
    }
    if (withdrawn.length > 0) {
      logger.warn(
        { records: withdrawn.length, ids: withdrawn.slice(0, IDS_LOGGED_MAX) },
        'the credentials topic held keys that this registry does not have; they count as revoked now. If this is the wrong database, start with the right one: it takes them back',
      );
    }
    const view = await followCollectorCounts(bus, topics.collectorCounts, collectors, () => {
      logger.warn('a report of collector counts could not be read');
    });
    const letterView = await bus.followLatest(topics.deadLetter.name, (record) => deadLetters.apply(record));
    if (closing.signal.aborted) {
      await Promise.all([view.close(), letterView.close()]);
      return [];
    }
    counts = view;
    letters = letterView;
    watch = watchAnswers(
      () => bus.lag(topics.credentials.name, group),
      lookMs,
      (error) => {
        if (error === null) logger.info('the bus answers again');
        else logger.warn({ err: error }, 'the bus does not answer any more');
      },
    );
    return missing;
  }

  async function complete(missing: Reconciliation['missing']): Promise<void> {
    if (missing.length === 0) return;
    logger.info({ records: missing.length }, 'records missing on the credentials topic are published again');
    await republish(db, missing, { now, signal: closing.signal, onPart: () => publisher.wake() });
  }

  async function keepTrying<Done>(what: () => Promise<Done>, complaint: string): Promise<Done | null> {
    while (!closing.signal.aborted) {
      try {
        return await what();
      } catch (error) {
        logger.warn({ err: error }, complaint);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, RETRY_MS);
          closing.signal.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
    }
    return null;
  }
  const linking = keepTrying(tryOnce, 'the bus can’t be used yet, trying again').then((missing) =>
    keepTrying(() => complete(missing ?? []), 'records missing on the credentials topic are not put on their way yet'),
  );

  return {
    isUp: () => watch?.answers() ?? false,
    async close() {
      closing.abort();
      watch?.close();
      // A bus that hangs must not keep the process from ending; closing the bus itself ends what is left.
      await Promise.race([linking, new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MS).unref())]);
      await Promise.all([counts?.close(), letters?.close()]);
    },
  };
}

/**
 * Asks again and again whether somebody answers. Silence for {@link ANSWER_PATIENCE_MS} is no answer.
 * @param onTurn told when it stops answering, with the error, and when it answers again, with null
 */
export function watchAnswers(
  ask: () => Promise<unknown>,
  intervalMs: number,
  onTurn: (error: unknown) => void,
): { answers(): boolean; close(): void } {
  let answers = true;
  let isAsking = false;

  function note(error: unknown): void {
    if (answers === (error === null)) return;
    answers = error === null;
    onTurn(error);
  }

  async function look(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    const late = setTimeout(() => note(new Error(`no answer in ${ANSWER_PATIENCE_MS} ms`)), ANSWER_PATIENCE_MS);
    try {
      await ask();
      note(null);
    } catch (error) {
      note(error);
    } finally {
      clearTimeout(late);
      isAsking = false;
    }
  }
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return { answers: () => answers, close: () => clearInterval(timer) };
}
