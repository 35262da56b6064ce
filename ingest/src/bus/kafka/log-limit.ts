import type { OpenBusOptions } from '../options.ts';

export type BusLog = NonNullable<OpenBusOptions['onLog']>;

/** Faults of one kind are let through once in this time. */
export const LOG_INTERVAL_MS = 30_000;
/** Kinds that are remembered; beyond it the one that was let through longest ago is forgotten. */
const KINDS_MAX = 500;

/**
 * Puts a limit before a log: kafkajs tells of every attempt, which is ten lines a second while the brokers are away. An error or warning
 * goes through when it is the first of its kind in {@link LOG_INTERVAL_MS}; the next that goes through says in `left_out` how many of
 * its kind did not. Other levels tell of changes, not of attempts, and all go through.
 * @param now epoch milliseconds
 */
export function limitLog(log: BusLog, now: () => number): BusLog {
  const kinds = new Map<string, { loggedAtMs: number; leftOut: number }>();
  return (level, message, details) => {
    if (level !== 'error' && level !== 'warn') {
      log(level, message, details);
      return;
    }
    const kind = kindOf(level, message, details);
    const last = kinds.get(kind);
    if (last !== undefined && now() - last.loggedAtMs < LOG_INTERVAL_MS) {
      last.leftOut++;
      return;
    }
    // Inserted anew, so that the first entry is the one that was let through longest ago.
    kinds.delete(kind);
    kinds.set(kind, { loggedAtMs: now(), leftOut: 0 });
    if (kinds.size > KINDS_MAX) kinds.delete(kinds.keys().next().value!);
    log(level, message, last === undefined || last.leftOut === 0 ? details : { ...details, left_out: last.leftOut });
  };
}

/**
 * What makes two lines the same: the message, what the broker answered, and which broker. Ports, counts and ids differ from attempt to
 * attempt and don't count.
 */
function kindOf(level: string, message: string, { broker, error }: Record<string, unknown>): string {
  const texts = [message, error].map((text) => (typeof text === 'string' ? withoutNumbers(text) : ''));
  return [level, ...texts, typeof broker === 'string' ? broker : ''].join('\n');
}

/** Digits, and the hexadecimal letters around them, so that an id in a message does not make it a new kind each time. */
const withoutNumbers = (text: string): string => text.replace(/[0-9a-f]*\d[0-9a-f]*/gi, '#');
