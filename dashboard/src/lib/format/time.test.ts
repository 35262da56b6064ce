import { describe, expect, it } from 'vitest';
import { duration, exactTime, isZone, relativeTime, shortTime } from './time.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
const agoMs = (ms: number) => new Date(NOW_MS - ms).toISOString();

describe('relativeTime', () => {
  it.each([
    [0, 'just now'],
    [59_999, 'just now'],
    [60_000, '1 min ago'],
    [22 * 60_000, '22 min ago'],
    [3_600_000, '1 h ago'],
    [47 * 3_600_000, '47 h ago'],
    [48 * 3_600_000, '2 d ago'],
    [-30_000, 'just now'],
    [-4 * 3_600_000, 'in 4 h'],
  ])('says how long %i ms ago was: %s', (ms, said) => {
    expect(relativeTime(agoMs(ms), NOW_MS)).toBe(said);
  });
});

it('shows an instant exactly, in the zone asked for and saying which', () => {
  const instant = '2026-11-21T23:31:07.123Z';
  expect(exactTime(instant, 'UTC')).toBe('2026-11-21 23:31:07.123 UTC');
  expect(exactTime(instant, 'Asia/Tokyo')).toBe('2026-11-22 08:31:07.123 GMT+9');
  expect(shortTime(instant, 'Asia/Tokyo')).toBe('2026-11-22 08:31');
  expect(shortTime(instant, 'UTC', 'second')).toBe('2026-11-21 23:31:07');
  expect(shortTime(instant, 'UTC', 'day')).toBe('2026-11-21');
});

it('writes midnight as 00, not as 24', () => {
  expect(shortTime('2026-11-21T00:05:00Z', 'UTC')).toBe('2026-11-21 00:05');
});

it('tells durations, never a negative one', () => {
  expect(duration(agoMs(22 * 60_000), agoMs(0))).toBe('22 min');
  expect(duration(agoMs(5_000), agoMs(0))).toBe('5 s');
  expect(duration(agoMs(0), agoMs(5_000))).toBe('0 s');
});

it('takes only time zones that exist', () => {
  expect(isZone('Europe/Berlin')).toBe(true);
  expect(isZone('Mars/Base')).toBe(false);
});
