import { expect, test } from 'vitest';
import { COMMANDS } from '../launcher/commands.mjs';
import { UsageError } from '../measuring/options.ts';
import { FAULTS } from './faults.ts';
import { parseOptions } from './options.ts';

test('without options both buses meet every fault', () => {
  expect(parseOptions([], 42)).toMatchObject({ buses: ['kafka', 'embedded'], faults: [...FAULTS], seed: 42 });
});

test('the help text knows every fault and the defaults', () => {
  const { help } = COMMANDS['chaos']!;
  for (const fault of FAULTS) expect(help).toMatch(new RegExp(`^  ${fault} +\\S`, 'm'));
  const { kills, eventsPerSecond } = parseOptions([], 42);
  expect(help).toMatch(new RegExp(`--kills .*default ${kills}\\)`));
  expect(help).toMatch(new RegExp(`--rate .*default ${eventsPerSecond}\\)`));
});

test('bus, faults, number and seed are taken as given', () => {
  const options = parseOptions(['--bus', 'embedded', '--faults', 'pause,ingest', '--kills', '200', '--seed', '9'], 42);
  expect(options).toMatchObject({ buses: ['embedded'], faults: ['ingest', 'pause'], kills: 200, seed: 9 });
});

test.each([
  [['--bus', 'rabbit'], 'kafka, embedded or both'],
  [['--faults', 'ingest,flood'], 'flood'],
  [['--kills', '0'], 'whole number'],
  [['--kills', '1e3'], 'whole number'],
  [['--seed', '-1'], '--seed'],
  [['--brokers', '2'], 'of two'],
  [['--speed', '1'], '--speed'],
])('%j is refused with a sentence that says what is wrong', (args, part) => {
  expect(() => parseOptions(args, 42)).toThrow(UsageError);
  expect(() => parseOptions(args, 42)).toThrow(part);
});
