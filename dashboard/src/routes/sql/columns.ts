import type { EntityKind, SqlColumn, SqlResult } from '@lanewatch/query-api/contract';
import { entityHref, laneHref } from '#lib/links.ts';

const WRAPPED = /^(?:Nullable|LowCardinality)\((.*)\)$/;
const NUMERIC = /^(?:U?Int|Float|Decimal)/;

/** Whether a column holds numbers, whatever it is wrapped in. */
export function isNumeric({ type }: SqlColumn): boolean {
  let inner = type;
  for (let match = WRAPPED.exec(inner); match !== null; match = WRAPPED.exec(inner)) inner = match[1]!;
  return NUMERIC.test(inner);
}

/** A cell as text: lists and maps as JSON. */
export function textOfCell(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 9 });

/** A number with its thousands apart, exact to its last digit. */
export function numberText(cell: unknown): string {
  const text = textOfCell(cell);
  if (/^-?\d{16,}$/.test(text)) return NUMBER.format(BigInt(text));
  const number = Number(text);
  return text === '' || !Number.isFinite(number) ? text : NUMBER.format(number);
}

/** Columns that can be drawn: numbers, over any other one. */
export function chartChoices({ columns }: SqlResult): { x: string[]; y: string[] } {
  return { x: columns.map(({ name }) => name), y: columns.filter(isNumeric).map(({ name }) => name) };
}

const PAGES: Readonly<Record<string, EntityKind>> = {
  ...{ person: 'user', user: 'user', agent: 'agent', repo: 'repo', model: 'model', session: 'session', org: 'org' },
};

/** The page of what a cell names, by its column's name; null where it has none. */
export function cellHref(column: string, cell: unknown): string | null {
  if (typeof cell !== 'string' || cell === '') return null;
  if (column === 'lane') return laneHref(cell);
  return Object.hasOwn(PAGES, column) ? entityHref(PAGES[column]!, cell) : null;
}

/** Part of a place that its bars fill together. */
const FILLED = 0.8;

/**
 * Series whose bars stand beside each other: each value has a point of its own around its place, where the others have none.
 * @returns points, then each series by them
 */
export function besideEachOther(series: readonly number[][]): [number[], ...(number | null)[][]] {
  const step = FILLED / series.length;
  const places = (series[0] ?? []).map((_, place) => place);
  const points = places.flatMap((place) => series.map((_, at) => place + (at - (series.length - 1) / 2) * step));
  const own = series.map((values, at) =>
    values.flatMap((value) => series.map((_, one) => (one === at ? value : null))),
  );
  return [points, ...own];
}
