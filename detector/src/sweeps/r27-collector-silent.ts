import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import type { Decision } from './sweep.ts';

/** A collector as ledger and counts know it. */
export interface CollectorState {
  /** Registry id. */
  collector: string;
  name: string;
  /** When ingest last received an event of it, epoch milliseconds. */
  lastReceivedMs: number;
  /** Minutes of the time since in which it usually sends, by hour of the week: {@link expectedBetween}. */
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

/**
 * In how many minutes between two instants events usually come, from such minutes by hour: of each hour the least of the same hours of the two weeks before, as
 * far as there is history of them.
 * @param countAt minutes with events in the hour that begins at this instant; null where there is no history
 */
export function expectedBetween(fromMs: number, toMs: number, countAt: (hourMs: number) => number | null): number {
  let expected = 0;
  for (let hourMs = fromMs - (fromMs % HOUR_MS); hourMs < toMs; hourMs += HOUR_MS) {
    const lastWeek = countAt(hourMs - WEEK_MS) ?? 0;
    const usual = Math.min(lastWeek, countAt(hourMs - 2 * WEEK_MS) ?? lastWeek);
    const within = Math.min(toMs, hourMs + HOUR_MS) - Math.max(fromMs, hourMs);
    expected += usual * (within / HOUR_MS);
  }
  return expected;
}
