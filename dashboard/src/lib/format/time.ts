const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

function span(ms: number): string {
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} d`;
}

/**
 * How long ago, in the largest unit that says enough: `just now`, `22 min ago`, `5 h ago`, `3 d ago`, `in 4 h`.
 * @param instant RFC 3339
 * @param nowMs epoch milliseconds
 */
export function relativeTime(instant: string, nowMs: number): string {
  const agoMs = nowMs - Date.parse(instant);
  if (Math.abs(agoMs) < MINUTE_MS) return 'just now';
  return agoMs > 0 ? `${span(agoMs)} ago` : `in ${span(-agoMs)}`;
}

/** How long between two instants: `22 min`, `5 h`; below a minute in seconds. */
export function duration(from: string, to: string): string {
  const ms = Math.max(0, Date.parse(to) - Date.parse(from));
  return ms < MINUTE_MS ? `${Math.floor(ms / 1000)} s` : span(ms);
}

/** Whether a text names a time zone that this runtime knows. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const formatters = new Map<string, Intl.DateTimeFormat>();
/** Zones a server meets are as many as its readers choose; forgetting them all now and then bounds the cache. */
const FORMATTERS_MAX = 64;

function partsOf(instant: string, zone: string): Record<string, string> {
  let formatter = formatters.get(zone);
  if (!formatter) {
    if (formatters.size >= FORMATTERS_MAX) formatters.clear();
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      timeZoneName: 'short',
    });
    formatters.set(zone, formatter);
  }
  return Object.fromEntries(formatter.formatToParts(new Date(instant)).map((part) => [part.type, part.value]));
}

/** `2026-11-21 04:31:07.123 UTC`: exact to the millisecond, with the zone it is in. */
export function exactTime(instant: string, zone: string): string {
  const part = partsOf(instant, zone);
  const date = `${part['year']}-${part['month']}-${part['day']}`;
  return `${date} ${part['hour']}:${part['minute']}:${part['second']}.${part['fractionalSecond']} ${part['timeZoneName']}`;
}

/** `2026-11-21 04:31`, or only the date: for lists and tables, where the zone is said once. */
export function shortTime(instant: string, zone: string, precision: 'second' | 'minute' | 'day' = 'minute'): string {
  const part = partsOf(instant, zone);
  const date = `${part['year']}-${part['month']}-${part['day']}`;
  if (precision === 'day') return date;
  const minute = `${date} ${part['hour']}:${part['minute']}`;
  return precision === 'minute' ? minute : `${minute}:${part['second']}`;
}
