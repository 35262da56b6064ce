import { expect, test } from 'vitest';
import { COMMANDS } from '../launcher/commands.mjs';
import { UsageError } from '../measuring/options.ts';
import { targetOf } from './against/target.ts';
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

test('an installation of somebody’s needs its address and secrets, and every one that is missing is told', () => {
  const { against, hook, kills } = parseOptions(['--against', 'https://ingest/', '--hook', 'true', '--kills', '3'], 42);
  expect([against, hook, kills]).toEqual(['https://ingest/', 'true', 3]);
  expect(() => targetOf(against!, {})).toThrow(/COLLECTOR_KEY is missing[^]*CLICKHOUSE_URL is missing/);
  for (const url of ['ingest', 'ingest.example.com:443']) expect(() => targetOf(url, {})).toThrow('--against');
  const env = { COLLECTOR_KEY: 'k', CLICKHOUSE_URL: 'http://clickhouse:8123' };
  expect(targetOf(against!, env)).toMatchObject({ ingestUrl: 'https://ingest', clickhouse: { database: 'lanewatch' } });
  expect(() => targetOf(against!, { ...env, CLICKHOUSE_DATABASE: 'a; DROP' })).toThrow('CLICKHOUSE_DATABASE');
  expect(() => targetOf(against!, { ...env, CLICKHOUSE_URL: 'clickhouse:8123' })).toThrow('CLICKHOUSE_URL must be');
});

test.each([
  [['--bus', 'rabbit'], 'kafka, embedded or both'],
  [['--faults', 'ingest,flood'], 'flood'],
  [['--hook', 'true'], '--against URL'],
  [['--kills', '0'], 'whole number'],
  [['--kills', '1e3'], 'whole number'],
  [['--seed', '-1'], '--seed'],
  [['--brokers', '2'], 'of two'],
  [['--speed', '1'], '--speed'],
])('%j is refused with a sentence that says what is wrong', (args, part) => {
  expect(() => parseOptions(args, 42)).toThrow(UsageError);
  expect(() => parseOptions(args, 42)).toThrow(part);
});
