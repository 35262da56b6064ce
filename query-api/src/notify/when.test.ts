import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWantedBy } from './collect.ts';
import { isPrivateAddress } from './private-address.ts';
import { afterQuiet, nextSendMs, retryDelayMs } from './when.ts';

const at = (clock: string): number => Date.parse(`2026-11-28T${clock}:00Z`);
const minutes = fc.integer({ min: 0, max: 1439 });
const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

test('quiet hours end when they say, past midnight too, and nothing waits outside of them', () => {
  const night = { quiet_from: '22:00', quiet_to: '07:30' };
  expect(afterQuiet(night, at('23:10'))).toBe(at('07:30') + 86_400_000);
  expect(afterQuiet(night, at('03:00'))).toBe(at('07:30'));
  expect(afterQuiet(night, at('07:30'))).toBe(at('07:30'));
  expect(afterQuiet(night, at('21:59'))).toBe(at('21:59'));
  expect(afterQuiet({ quiet_from: null, quiet_to: null }, at('03:00'))).toBe(at('03:00'));
  fc.assert(
    fc.property(minutes, minutes, minutes, (from, to, now) => {
      const times = { quiet_from: clockOf(from), quiet_to: clockOf(to) };
      const end = afterQuiet(times, at(clockOf(now)));
      expect(afterQuiet(times, end)).toBe(end);
      expect(end - at(clockOf(now))).toBeLessThan(86_400_000);
    }),
  );
});

test('no more than one an hour or a day, where so chosen', () => {
  const quiet = { quiet_from: null, quiet_to: null };
  expect(nextSendMs({ ...quiet, pace: 'each' }, 10, 20)).toBe(20);
  expect(nextSendMs({ ...quiet, pace: 'hourly' }, 10, 20)).toBe(3_600_010);
  expect(nextSendMs({ ...quiet, pace: 'daily' }, null, 20)).toBe(20);
});

test('attempts come at longer intervals, ten minutes at most', () => {
  expect([1, 2, 3, 8, 50].map(retryDelayMs)).toEqual([5_000, 10_000, 20_000, 600_000, 600_000]);
});

test.each([
  ['127.0.0.1', true],
  ['10.1.2.3', true],
  ['169.254.169.254', true],
  ['172.31.0.1', true],
  ['192.168.1.1', true],
  ['100.64.0.1', true],
  ['::1', true],
  ['fd00::1', true],
  ['fe80::1', true],
  ['::ffff:10.0.0.1', true],
  ['::ffff:a00:1', true],
  ['64:ff9b::a00:1', true],
  ['2002:a00:1::', true],
  ['not an address', true],
  ['8.8.8.8', false],
  ['172.32.0.1', false],
  ['2606:4700::1111', false],
])('%s is private: %s', (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate);
});

test('a channel tells of findings at least as severe as it says, of its organisations, projects and owners', () => {
  const channel = { severity: 'high' as const, orgs: ['acme'], projects: [], owners: ['ada'] };
  const finding = { severity: 'critical' as const, org: 'acme', project: 'any', owner: 'ada' };
  expect(isWantedBy(channel, finding)).toBe(true);
  for (const other of [{ severity: 'medium' as const }, { org: 'other' }, { owner: '' }])
    expect(isWantedBy(channel, { ...finding, ...other })).toBe(false);
});
