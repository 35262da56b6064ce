import fc from 'fast-check';
import { expect, it } from 'vitest';
import { instantOfLocal, localText } from './local-time.ts';

it.each([
  ['2026-11-21T04:31', 'UTC', '2026-11-21T04:31:00.000Z'],
  ['2026-11-21T04:31:07', 'Asia/Tokyo', '2026-11-20T19:31:07.000Z'],
  ['2026-07-01 00:00', 'Europe/Berlin', '2026-06-30T22:00:00.000Z'],
  ['yesterday', 'UTC', undefined],
  ['2026-13-40T00:00', 'UTC', undefined],
])('reads %s in %s as %s', (text, zone, instant) => {
  expect(instantOfLocal(text, zone)).toBe(instant);
});

it('has every instant back that it wrote, to the second and up to the hour that a zone repeats', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) }),
      fc.constantFrom('UTC', 'Asia/Tokyo', 'America/New_York', 'Asia/Kolkata'),
      (ms, zone) => {
        const instant = new Date(Math.floor(ms / 1000) * 1000).toISOString();
        const text = localText(instant, zone);
        const back = instantOfLocal(text, zone);
        expect(back).toBeDefined();
        expect(localText(back ?? '', zone)).toBe(text);
      },
    ),
  );
});
