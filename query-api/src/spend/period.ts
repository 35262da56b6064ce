import type { SpendScope } from '../../contract/index.ts';
import { storableMs } from '../ledger/filter.ts';
import { fieldProblem } from '../http/problem.ts';
import { CLOCKS_MS, dayOf, rowsSince } from '../ledger/scope.ts';
import type { Scope } from '../ledger/scope.ts';
import { DAY_MS, floorTo, isOfDays, windowStartMs } from '../ledger/window.ts';

const HOUR_MS = 3_600_000;
/** Up to these lengths a chart has steps of five minutes, and of an hour. */
const FINE_MS = 2 * HOUR_MS;
const HOURLY_MS = 2 * DAY_MS;

/** A stretch of time that spend is asked of. */
export interface Period {
  fromMs: number;
  /** Exclusive; null: everything from `fromMs` on, also what a clock ahead of ours says. */
  untilMs: number | null;
  /** Whether both bounds are UTC midnights, so that the roll-up by day has it. */
  isOfDays: boolean;
  stepMs: number;
}

/**
 * The time a query means.
 * @throws {ProblemError} where `to` is not after `from`
 */
export function periodOf({ window, from, to }: Pick<SpendScope, 'window' | 'from' | 'to'>, nowMs: number): Period {
  if (from === undefined) {
    const fromMs = windowStartMs(window, nowMs);
    return { fromMs, untilMs: null, isOfDays: isOfDays(window), stepMs: stepOf(nowMs - fromMs) };
  }
  const fromMs = storableMs(from);
  const untilMs = to === undefined ? null : storableMs(to);
  if ((untilMs ?? nowMs) <= fromMs) throw fieldProblem('to', 'must be later than from');
  const isDays = fromMs % DAY_MS === 0 && (untilMs ?? 0) % DAY_MS === 0;
  return { fromMs, untilMs, isOfDays: isDays, stepMs: stepOf((untilMs ?? nowMs) - fromMs) };
}

function stepOf(lengthMs: number): number {
  if (lengthMs <= FINE_MS) return 5 * 60_000;
  return lengthMs <= HOURLY_MS ? HOUR_MS : DAY_MS;
}

/** The time of the same length right before; of days as many whole ones, today counted as one. */
export function previousOf({ fromMs, untilMs, isOfDays: isDays, stepMs }: Period, nowMs: number): Period {
  const endMs = untilMs ?? (isDays ? floorTo(DAY_MS, nowMs) + DAY_MS : nowMs);
  return { fromMs: fromMs - (endMs - fromMs), untilMs: fromMs, isOfDays: isDays, stepMs };
}

/** Where the steps of its chart begin, oldest first; the first with the period itself. */
export function startsOf({ fromMs, untilMs, stepMs }: Period, nowMs: number): number[] {
  const firstMs = floorTo(stepMs, fromMs);
  const lastMs = floorTo(stepMs, untilMs === null ? nowMs : untilMs - 1);
  return Array.from({ length: Math.max(0, (lastMs - firstMs) / stepMs) + 1 }, (_, index) =>
    Math.max(fromMs, firstMs + index * stepMs),
  );
}

/** Its rows as a condition, in the words of the roll-up by day where that is to answer. */
export function periodScope({ fromMs, untilMs }: Period, isRolledUp: boolean): Scope {
  if (isRolledUp) {
    const until = untilMs === null ? '' : 'AND toDate(seen_at) < {until_day:Date}';
    return {
      where: `toDate(seen_at) >= {from_day:Date} ${until} AND _partition_id >= {from_partition:String}`,
      parameters: {
        from_day: dayOf(fromMs),
        from_partition: dayOf(fromMs - CLOCKS_MS).replaceAll('-', ''),
        ...(untilMs === null ? {} : { until_day: dayOf(untilMs) }),
      },
    };
  }
  const since = rowsSince(fromMs, 'from', 'ledger.');
  if (untilMs === null) return since;
  return {
    where: `${since.where} AND ledger.seen_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')`,
    parameters: { ...since.parameters, until: untilMs },
  };
}
