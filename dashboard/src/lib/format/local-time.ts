import { shortTime } from './time.ts';

/** An instant as a field for date and time takes it: `2026-11-21T04:31:07`, in a zone. */
export function localText(instant: string, zone: string): string {
  return shortTime(instant, zone, 'second').replace(' ', 'T');
}

/**
 * The instant that such a text means in a zone, RFC 3339; undefined for none. Of an hour that a change of clocks repeats, one of both; one
 * that it leaves out is moved by as much.
 */
export function instantOfLocal(text: string, zone: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?$/.exec(text.trim());
  const wantedMs = match === null ? NaN : Date.parse(`${match[1]}T${match[2]}${match[3] ?? ':00'}Z`);
  if (Number.isNaN(wantedMs)) return undefined;
  // What the clock of the zone shows at a guess tells how far off it is; the second time the offset is that of the right day.
  let instantMs = wantedMs;
  for (let round = 0; round < 2; round += 1) {
    const shownMs = Date.parse(`${localText(new Date(instantMs).toISOString(), zone)}Z`);
    instantMs += wantedMs - shownMs;
  }
  return new Date(instantMs).toISOString();
}
