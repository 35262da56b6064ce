import type { Spend, SpendQuery } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readWithin, unlessTooLarge } from '../ledger/bounded.ts';
import { dollarsOf, nanoOf } from '../ledger/money.ts';
import { instantOf } from '../ledger/window.ts';
import { isInRollUp } from './dimensions.ts';
import { readCredentialIds, readLaneNames } from './names.ts';
import { periodOf, previousOf, startsOf } from './period.ts';
import type { Period } from './period.ts';
import { seriesOf } from './series.ts';
import type { StepJson } from './series.ts';
import { rowsSql, shownSql, stepSql } from './sql.ts';
import type { Source, Statement } from './sql.ts';
import { answerOf, lessOf, nothingSpent, spentOf } from './sums.ts';
import type { BasedJson } from './sums.ts';

/** Values with a series of their own. */
const SERIES_MAX = 8;

interface RowJson extends BasedJson, Record<string, unknown> {
  value: string;
  value_count: number | string;
}
interface ShownJson {
  is_shown: number;
  shown_value: string;
  spent: string;
  call_count: number | string;
}

const ask = <Row>(store: ClickHouse, { sql, parameters }: Statement): Promise<Row[]> =>
  store.rows<Row>(sql, parameters);

/**
 * Spend by the values of a dimension. Windows of days are read from the roll-ups by day, where one knows all that is asked; everything
 * else from rows, of a window that is too large for it of the longest shorter one.
 * @throws {ReadTooLargeError} where bounds were given that have too many rows
 * @throws {ProblemError} where they are none
 */
export async function readSpendBy(store: ClickHouse, query: SpendQuery, nowMs: number): Promise<Spend> {
  const period = periodOf(query, nowMs);
  const isRolledUp = period.isOfDays && isInRollUp(query, query.by);
  if (isRolledUp || query.from !== undefined) return readPeriod(store, query, period, isRolledUp, nowMs, true);
  const { result, isComplete } = await readWithin(query.window, nowMs, (_fromMs, window) =>
    readPeriod(store, query, periodOf({ window }, nowMs), false, nowMs, true),
  );
  return { ...result, is_complete: isComplete };
}

async function readPeriod(
  store: ClickHouse,
  query: SpendQuery,
  period: Period,
  isRolledUp: boolean,
  nowMs: number,
  isComplete: boolean,
): Promise<Spend> {
  const { by } = query;
  const source: Source = { database: store.database, by, scope: query, period, isRolledUp };
  const before = previousOf(period, nowMs);
  const found = await ask<RowJson>(store, rowsSql(source));
  const values = found.map(({ value }) => value);
  const top = values.slice(0, SERIES_MAX);
  const [steps, previous, names, credentialIds] = await Promise.all([
    ask<ShownJson & StepJson>(store, shownSql(source, top, { step: stepSql(source) })),
    unlessTooLarge(ask<ShownJson>(store, shownSql({ ...source, period: before }, values))),
    readLaneNames(store, by, values),
    readCredentialIds(store, by, values),
  ]);

  const total = found[0] === undefined ? nothingSpent() : spentOf(totalsOf(found[0]));
  const shown = found.map(spentOf);
  const rest = lessOf(total, shown);
  const previousBy = previous && new Map(previous.map((row) => [keyOf(row), nanoOf(row.spent)]));
  const previousOfRow = (key: string): bigint | null => (previousBy === null ? null : (previousBy.get(key) ?? 0n));
  const valueCount = Number(found[0]?.value_count ?? 0);
  const part = (standing: string) => ({
    cost_usd: dollarsOf(nanoOf(String(found[0]?.[`total_${standing}_cost`] ?? '0'))),
    calls: Number(found[0]?.[`total_${standing}_calls`] ?? 0),
  });

  return {
    by,
    from: instantOf(period.fromMs),
    to: instantOf(period.untilMs ?? nowMs + 1),
    is_complete: isComplete,
    previous: { from: instantOf(before.fromMs), to: instantOf(before.untilMs!) },
    total: answerOf(total, previousBy && [...previousBy.values()].reduce((sum, nano) => sum + nano, 0n)),
    unknown: part('unknown'),
    unattributed: part('unattributed'),
    rows: found.map(({ value }, index) => ({
      value,
      name: names.get(value) ?? '',
      credential_ids: credentialIds?.get(value) ?? null,
      share: shareOf(shown[index]!.nano, total.nano),
      ...answerOf(shown[index]!, previousOfRow(`=${value}`)),
    })),
    others:
      valueCount > found.length
        ? { values: valueCount - found.length, ...answerOf(rest, previousOfRow(OTHERS)) }
        : null,
    series: seriesOf(steps, top, startsOf(period, nowMs), period.stepMs),
  };
}

/** Of the values that are not shown. */
const OTHERS = 'others';
const keyOf = (row: ShownJson): string => (Number(row.is_shown) === 1 ? `=${row.shown_value}` : OTHERS);

/** What all values come to, which stands on each of them. */
const totalsOf = (row: RowJson): BasedJson =>
  Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) => (name.startsWith('total_') ? [[name.slice(6), value]] : [])),
  ) as unknown as BasedJson;

/** Part of a total as a number, exact to a millionth. */
function shareOf(nano: bigint, total: bigint): number {
  return total === 0n ? 0 : Number((nano * 1_000_000n) / total) / 1_000_000;
}
