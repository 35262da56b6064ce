export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Time zone, country and language of work of a place. */
export interface Locale {
  zone: string;
  country: string;
}

/** Days off by country, month-day. Those that move with Easter are left out: the simulation needs days off, not an almanac. */
const HOLIDAYS: Record<string, readonly string[]> = {
  DE: ['01-01', '05-01', '10-03', '12-24', '12-25', '12-26', '12-31'],
  PT: ['01-01', '04-25', '05-01', '06-10', '08-15', '10-05', '11-01', '12-01', '12-08', '12-25'],
  US: ['01-01', '06-19', '07-04', '11-26', '11-27', '12-24', '12-25'],
  GB: ['01-01', '05-04', '05-25', '08-31', '12-25', '12-28'],
};

const offsets = new Map<string, number>();

/** How far local time of a zone is ahead of UTC at this instant, in milliseconds; looked up once per day. */
function zoneOffsetMs(zone: string, atMs: number): number {
  const dayMs = atMs - (atMs % DAY_MS);
  const key = `${zone} ${dayMs}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  }).formatToParts(dayMs + DAY_MS / 2);
  const part = (type: string) => Number(parts.find((other) => other.type === type)?.value);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  const offset = local - (dayMs + DAY_MS / 2);
  offsets.set(key, offset);
  return offset;
}

/** The instant of a local hour of the UTC day that begins at `dayMs`. */
export function localHourMs(dayMs: number, hour: number, { zone }: Locale): number {
  return dayMs + hour * HOUR_MS - zoneOffsetMs(zone, dayMs);
}

/** Whether people in this country work on this day. */
export function isWorkday(dayMs: number, { country }: Locale): boolean {
  const weekday = new Date(dayMs).getUTCDay();
  if (weekday === 0 || weekday === 6) return false;
  return !(HOLIDAYS[country] ?? []).includes(new Date(dayMs).toISOString().slice(5, 10));
}
