import { afterEach, describe, expect, it, vi } from 'vitest';
import { COMMANDS } from '../launcher/commands.mjs';
import { median, requireLoad } from './bench.ts';
import { parseOptions } from './options.ts';

afterEach(() => vi.unstubAllEnvs());

describe('options', () => {
  const known = ['P1', 'P2', 'P6'];

  it('without any, every bench runs', () => {
    expect(parseOptions([], known)).toMatchObject({ ids: known, runs: 5, events: 1_000_000, jsonFile: null });
  });

  it('have the defaults that the help text tells', () => {
    const { help } = COMMANDS['bench']!;
    const { runs, events } = parseOptions([], known);
    expect(help).toMatch(new RegExp(`--runs .*default ${runs}\\)`));
    expect(help).toMatch(new RegExp(`--events .*default ${events}\\)`));
  });

  it('are taken as given, in the order of the table', () => {
    vi.stubEnv('INIT_CWD', '/caller');
    const args = ['--only', 'P6, P1', '--runs', '3', '--events', '20000', '--json', 'x.json'];
    expect(parseOptions(args, known)).toMatchObject({
      ids: ['P1', 'P6'],
      runs: 3,
      events: 20_000,
      jsonFile: '/caller/x.json',
    });
  });

  it.each([
    [['--runs', 'abc'], '--runs is a whole number from 1 to 1000, not "abc".'],
    [['--runs', '0'], '--runs is a whole number'],
    [['--runs', '1e3'], '--runs is a whole number'],
    [['--events', '-5'], /--events/],
    [['--only', 'P9'], '--only knows P1, P2, P6, not "P9".'],
  ])('%j is refused with what would do', (args, message) => {
    expect(() => parseOptions(args, known)).toThrow(message);
  });
});

describe('figures', () => {
  it('the median is a figure that was measured', () => {
    expect(median([4, 1, 3, 2])).toBe(2);
  });

  it('a load that fell behind is refused with what it came to', () => {
    expect(() => {
      requireLoad(96, 100);
    }).not.toThrow();
    expect(() => {
      requireLoad(47_000, 50_000);
    }).toThrow('The load came to 47000 of 50000 events/s (94 %)');
  });
});
