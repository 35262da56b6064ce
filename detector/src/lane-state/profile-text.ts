import { addValue, createValueTable, extrasOf, forgottenUntil, type ValueTable } from './value-table.ts';
import { HOUR_BYTES, HOURS_HELD, type Hours } from './hours.ts';
import { newProfile, type LaneProfile, type ModelRate } from './profile.ts';

/** Of this form; another one is as good as none. */
const VERSION = 1;

type TableText = [values: string[], sights: number[], forgottenMs: number | null] | null;
type HoursText = [hour: number, calls: number, costNanoUsd: number, past: string | null];

/** A profile as text, so that {@link profileOf} gives the same one. */
export function textOf(profile: LaneProfile): string {
  const { tables, hours, models, ...rest } = profile;
  return JSON.stringify({
    version: VERSION,
    ...rest,
    tables: tables.map(tableText),
    hours: [hours.hour, hours.calls, hours.costNanoUsd, pastText(hours)] satisfies HoursText,
    models,
  });
}

/** The profile of a text; null where it is of another version or none. */
export function profileOf(text: string, intern: (text: string) => string): LaneProfile | null {
  let held: Record<string, unknown>;
  try {
    held = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
  if (held['version'] !== VERSION) return null;
  const {
    version: _version,
    tables,
    hours,
    models,
    firstMs,
    lastMs,
    ...rest
  } = held as unknown as Omit<LaneProfile, 'tables' | 'hours' | 'firstMs' | 'lastMs'> & {
    version: number;
    tables: TableText[];
    hours: HoursText;
    firstMs: number | null;
    lastMs: number | null;
  };
  return {
    ...newProfile(),
    ...rest,
    // JSON has no infinity.
    firstMs: firstMs ?? Infinity,
    lastMs: lastMs ?? -Infinity,
    ip: intern(rest.ip),
    tables: tables.map((table) => tableOf(table, intern)),
    hours: hoursOf(hours),
    models: models.map((rate: ModelRate) => ({ ...rate, model: intern(rate.model) })),
  };
}

function tableText(table: ValueTable | null): TableText {
  if (table === null) return null;
  const forgottenMs = forgottenUntil(table);
  return [table.values, table.sights, forgottenMs === -Infinity ? null : forgottenMs];
}

function tableOf(text: TableText, intern: (text: string) => string): ValueTable | null {
  if (text === null) return null;
  const table = createValueTable();
  const [values, sights, forgottenMs] = text;
  for (const [index, value] of values.entries())
    addValue(table, intern(value), sights[index * 2]!, sights[index * 2 + 1]!);
  if (forgottenMs !== null) extrasOf(table).forgottenMs = forgottenMs;
  return table;
}

/** Hours with calls alone: place and bytes of each. */
function pastText({ past }: Hours): string | null {
  if (past === null) return null;
  const bytes: number[] = [];
  for (let slot = 0; slot < HOURS_HELD; slot++) {
    const at = slot * HOUR_BYTES;
    if (past[at + 1] === 0) continue;
    bytes.push(slot & 0xff, slot >> 8, past[at]!, past[at + 1]!, past[at + 2]!, past[at + 3]!);
  }
  return Buffer.from(bytes).toString('base64');
}

function hoursOf([hour, calls, costNanoUsd, text]: HoursText): Hours {
  if (text === null) return { hour, calls, costNanoUsd, past: null, version: 0 };
  const bytes = Buffer.from(text, 'base64');
  const past = new Uint8Array(HOURS_HELD * HOUR_BYTES);
  for (let at = 0; at + 5 < bytes.length; at += 2 + HOUR_BYTES)
    past.set(bytes.subarray(at + 2, at + 2 + HOUR_BYTES), (bytes[at]! + bytes[at + 1]! * 256) * HOUR_BYTES);
  return { hour, calls, costNanoUsd, past, version: 0 };
}
