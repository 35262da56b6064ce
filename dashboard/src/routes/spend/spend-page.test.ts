import { expect, it } from 'vitest';
import type { Spend } from '@lanewatch/query-api/contract';
import { askedOf, ledgerFilterOf, ledgerFiltersOf, nextOf, parameterOf } from './address.ts';
import { csvOf } from './csv.ts';
import { boundsOfStep, piledOf, touchedOf } from '#lib/chart/stacked.ts';

const DAY_S = 86_400;
const series = {
  step_seconds: DAY_S,
  starts: ['2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z', '2026-11-22T00:00:00.000Z'],
};
const second = (at: string) => Date.parse(at) / 1000;

it('piles series up, the whole pile first, so that each is drawn over those below it', () => {
  const columns = [
    [1, 2, 0],
    [0.5, 0, 4],
  ];
  expect(piledOf(series, columns).slice(1)).toEqual([
    [1.5, 2, 4],
    [1, 2, 0],
  ]);
});

it('narrows to the whole steps that a drag touched, in either direction', () => {
  const expected = { from: '2026-11-20T00:00:00.000Z', to: '2026-11-22T00:00:00.000Z' };
  const [low, high] = [second('2026-11-20T03:00:00Z'), second('2026-11-21T09:00:00Z')];
  expect(touchedOf(series, low, high)).toEqual(expected);
  expect(touchedOf(series, high, low)).toEqual(expected);
  expect(touchedOf(series, second('2026-12-20T00:00:00Z'), second('2026-12-21T00:00:00Z'))).toBeNull();
});

it('ends a first step that was cut short where the clock’s next one begins', () => {
  expect(boundsOfStep({ step_seconds: 3_600 }, Date.parse('2026-11-20T05:20:00Z'))).toEqual({
    from: '2026-11-20T05:20:00.000Z',
    to: '2026-11-20T06:00:00.000Z',
  });
});

it('asks only what it knows, and drops bounds that are none', () => {
  const asked = (text: string) => JSON.parse(JSON.stringify(askedOf(new URLSearchParams(text)))) as object;
  expect(asked('by=user&user=~&nonsense=1&cursor=x')).toEqual({ by: 'user', user: '~' });
  expect(asked('from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z&window=30d')).toEqual({ window: '30d' });
  expect(asked('from=2026-11-19T00:00:00Z')).toEqual({ from: '2026-11-19T00:00:00Z' });
});

it('drills to the next dimension, never to one that has its value already', () => {
  expect(nextOf('project', [])).toBe('lane');
  expect(nextOf('user', ['model'])).toBe('agent');
  expect(parameterOf('')).toBe('~');
  expect(parameterOf('~a/b c')).toBe('~~a/b c');
});

it('links to rows of the ledger only where these add up to the figure', () => {
  expect(ledgerFilterOf('user', '', null)).toEqual({ without: ['user'] });
  expect(ledgerFilterOf('team', 'core', null)).toBeNull();
  expect(ledgerFiltersOf([{ by: 'project', values: ['shop'] }])).toBeNull();
  expect(ledgerFiltersOf([{ by: 'user', values: ['ada', ''] }])).toBeNull();
  expect(
    ledgerFiltersOf([
      { by: 'user', values: ['ada'] },
      { by: 'repo', values: [''] },
    ]),
  ).toEqual({ user: ['ada'], without: ['repo'] });
});

it('writes a CSV that no spreadsheet runs, with every basis apart', () => {
  const sums = {
    ...{ cost_usd: '1.5', calls: 2, previous_usd: null },
    tokens: { input_uncached: 1, cache_read: 2, cache_write: 3, output: 4 },
    basis: { reported_usd: '1', estimated_usd: '0.5', unpriced_calls: 1 },
  };
  const text = csvOf({
    ...{ by: 'user', from: '2026-11-20T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' },
    rows: [{ ...sums, value: '=cmd|"x",', name: '', credential_ids: null, share: 1 }],
    others: null,
  } as unknown as Spend);
  expect(text.split('\r\n')[1]).toBe(
    `user,"'=cmd|""x"",",,2026-11-20T00:00:00.000Z,2026-11-21T00:00:00.000Z,1.5,1,0.5,1,2,1,2,3,4,1,`,
  );
});
