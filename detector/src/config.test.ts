import { expect, test } from 'vitest';
import { describeConfig, loadConfig } from './config.ts';
import { INSERT_ROWS_MAX } from './ledger/ledger.ts';
import { RECORD_EVENTS_MAX } from './pipeline/decode.ts';

const REQUIRED = { BUS_URL: 'lmdb:/bus', CLICKHOUSE_URL: 'http://127.0.0.1:8123' };

test('an empty variable is one that is not set', () => {
  const empty = Object.fromEntries(Object.keys(loadConfig(REQUIRED)).map((name) => [name, '']));
  expect(loadConfig({ ...empty, ...REQUIRED, INSTANCE: 'i' })).toEqual(loadConfig({ ...REQUIRED, INSTANCE: 'i' }));
});

test('a batch leaves room in its insert for the largest record behind it', () => {
  const max = INSERT_ROWS_MAX - RECORD_EVENTS_MAX;
  expect(loadConfig({ ...REQUIRED, BATCH_ROWS_MAX: String(max) }).BATCH_ROWS_MAX).toBe(max);
  expect(() => loadConfig({ ...REQUIRED, BATCH_ROWS_MAX: String(max + 1) })).toThrow('BATCH_ROWS_MAX');
});

test('the help tells what every variable means, and its default or that it is required', () => {
  const lines = describeConfig().split('\n');
  for (const name of Object.keys(loadConfig(REQUIRED))) {
    const at = lines.findIndex((line) => line.startsWith(`  ${name}`));
    expect(lines[at + 1], name).toMatch(/^ {6}\S.{8,}/);
    expect(lines[at + 1], name).not.toContain('undefined');
  }
  expect(lines).toContain('  CLICKHOUSE_USER [default]');
  expect(lines).toContain('  CLICKHOUSE_URL (required)');
  expect(lines).toContain('  CLICKHOUSE_PASSWORD');
  expect(lines).toContain('  LEDGER_FSYNC [false]');
  expect(lines).toContain('  RULE_PARAMETERS [{}]');
  expect(lines).toContain('      {"R03":{"skew_ms":60000}}');
});

test('everything that is wrong is told at once', () => {
  expect(() => loadConfig({ DETECTOR_PORT: 'x', CLICKHOUSE_URL: '' })).toThrow(
    /has 3 problem\(s\):[^]*DETECTOR_PORT[^]*BUS_URL[^]*CLICKHOUSE_URL/,
  );
});

test('rule parameters are taken by their names, and what the catalogue does not have is refused by name', () => {
  const load = (RULE_PARAMETERS: string) => loadConfig({ ...REQUIRED, RULE_PARAMETERS }).RULE_PARAMETERS;
  expect(loadConfig(REQUIRED).RULE_PARAMETERS).toEqual({});
  const given = { R01: { spend_usd: 2.5, unresolved_endpoint_raises: false }, R05: { window_ms: 3_600_000 } };
  expect(load(JSON.stringify(given))).toEqual(given);
  expect(() => load('{"R99": {}}')).toThrow('RULE_PARAMETERS: there is no R99 here, only R01, R02, R03, R04');
  expect(() => load('{"R03": {"skew": 1}}')).toThrow('RULE_PARAMETERS.R03: there is no skew here, only skew_ms');
  expect(() => load('{"R05": {"window_ms": "1 h"}}')).toThrow('RULE_PARAMETERS.R05.window_ms');
  expect(() => load('{"R05": {"window_ms": 0.5, "people_on_personal_key": 1}}')).toThrow(
    /R05\.window_ms[^]*R05\.people_on_personal_key/,
  );
  expect(() => load('R05.window_ms=1')).toThrow('RULE_PARAMETERS: must be JSON');
});
