import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import type { Decision } from './sweep.ts';

/** A collector as ledger and counts know it. */
export interface CollectorState {
  /** Registry id. */
  collector: string;
  name: string;
  /** When ingest last received an event of it, epoch milliseconds. */
  lastReceivedMs: number;
  /** Minutes of the time since in which it usually sends, by hour of the week: {@link missedBetween}. */
  expectedSince: number;
}

export interface CollectorSweep {
  id: 'R27';
  parameters: ParameterValues;
  decide(state: CollectorState, nowMs: number): Decision[];
}

/**
 * R27: a collector sends nothing while it usually does. Agents send when people work, so that silence alone means little: it must
 * have been for so many minutes in which events usually come; their number says less, because they come in bursts. An episode of silence is one finding.
 */
export function collectorSilent(overrides?: ParameterValues): CollectorSweep {
  const parameters = parametersOf('R27', overrides);
  const silentMs = Number(parameters['silent_ms']);
  const missedMin = Number(parameters['missed_minutes']);
  return {
    id: 'R27',
    parameters,
    decide({ name, collector, lastReceivedMs, expectedSince }, nowMs) {
      if (nowMs - lastReceivedMs < silentMs || expectedSince < missedMin) return [];
      return [
        {
          dedupe: [String(lastReceivedMs)],
          severity: 'medium',
          facts: {
            collector: name || collector,
            last_received_at: new Date(lastReceivedMs).toISOString(),
            missed_minutes: missedMin,
          },
          sinceMs: lastReceivedMs,
        },
      ];
    },
  };
}

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

/** So long before a silence it is looked at how much came. */
const PACE_MS = 8 * HOUR_MS;
/** Minutes that are usual in that time, from which it says something. */
const PACE_MINUTES_MIN = 30;

/** Minutes with events in the hour that begins at this instant; null where there is no history. */
type MinutesAt = (hourMs: number) => number | null;

/**
 * In how many minutes of a silence events would have come: those in which they usually do, less where fewer came than usual in the hours before it.
 * On a holiday a few do, with hours between them.
 */
export function missedBetween(lastReceivedMs: number, nowMs: number, minutesAt: MinutesAt): number {
  const beforeMs = lastReceivedMs - (lastReceivedMs % HOUR_MS) - PACE_MS;
  let seen = 0;
  for (let hourMs = beforeMs; hourMs <= lastReceivedMs; hourMs += HOUR_MS) seen += minutesAt(hourMs) ?? 0;
  const usual = expectedBetween(beforeMs, lastReceivedMs, minutesAt);
  const pace = usual < PACE_MINUTES_MIN ? 1 : Math.min(1, seen / usual);
  return pace * expectedBetween(lastReceivedMs, nowMs, minutesAt);
}

/**
 * In how many minutes between two instants events usually come, from such minutes by hour: of each hour the least of the same hours of the two weeks before.
 * Of a week that stands alone half is believed: it may have been a special one.
 */
function expectedBetween(fromMs: number, toMs: number, minutesAt: MinutesAt): number {
  let expected = 0;
  for (let hourMs = fromMs - (fromMs % HOUR_MS); hourMs < toMs; hourMs += HOUR_MS) {
    const lastWeek = minutesAt(hourMs - WEEK_MS) ?? 0;
    const usual = Math.min(lastWeek, minutesAt(hourMs - 2 * WEEK_MS) ?? lastWeek / 2);
    const within = Math.min(toMs, hourMs + HOUR_MS) - Math.max(fromMs, hourMs);
    expected += usual * (within / HOUR_MS);
  }
  return expected;
}
