import { describe, expect, test } from 'vitest';

import { analystShare, ConfigError, readConfig } from './config.ts';
import { fromEngine, httpStatus, raise, withoutPath } from './errors.ts';
import { engineSupport } from './support.ts';
import type { Machine } from './support.ts';

const good: Machine = {
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  cpuFlags: ['ssse3', 'sse4_1', 'sse4_2', 'popcnt', 'avx'],
};

describe('engine support', () => {
  test.each<[string, Partial<Machine>]>([
    ['Linux x64 with glibc', {}],
    ['Linux arm64', { arch: 'arm64', cpuFlags: undefined }],
    ['macOS arm64', { platform: 'darwin', arch: 'arm64', glibc: undefined, cpuFlags: undefined }],
  ])('%s is supported', (_name, machine) => {
    expect(engineSupport({ ...good, ...machine })).toEqual({ supported: true });
  });

  test.each<[string, Partial<Machine>, RegExp]>([
    ['Windows', { platform: 'win32' }, /not on win32-x64/],
    ['another processor', { arch: 'riscv64' }, /not on linux-riscv64/],
    ['musl', { glibc: undefined }, /glibc/],
    ['an old processor', { cpuFlags: ['sse2'] }, /SSE 4\.2.*sse4_2/],
  ])('%s is refused in one sentence that says what to do', (_name, machine, reason) => {
    const support = engineSupport({ ...good, ...machine });
    expect(support.supported).toBe(false);
    const text = support.supported ? '' : support.reason;
    expect(text).toMatch(reason);
    expect(text).toMatch(/CLICKHOUSE_URL/);
    expect(text).not.toMatch(/\n/);
  });
});

describe('configuration', () => {
  test('all problems come in one message', () => {
    const read = (): unknown =>
      readConfig({ CLICKHOUSE_PORT: 'x', CLICKHOUSE_DATABASE: 'a-b', CLICKHOUSE_CONCURRENT_QUERIES: '0' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(
      /3 problem[\s\S]*CLICKHOUSE_PORT[\s\S]*CLICKHOUSE_DATABASE[\s\S]*CLICKHOUSE_CONCURRENT_QUERIES/,
    );
  });

  test.each([1, 2, 3, 4, 8, 16, 64])('of %i cores the analyst gets no more threads than there are', (cores) => {
    const { queries, threads } = analystShare(cores);
    expect(queries).toBeGreaterThanOrEqual(2);
    expect(queries * threads).toBeLessThanOrEqual(Math.max(2, cores));
  });

  test('outside loopback a password is required', () => {
    expect(() => readConfig({ CLICKHOUSE_HOST: '0.0.0.0' })).toThrow(/CLICKHOUSE_PASSWORD/);
    expect(readConfig({ CLICKHOUSE_HOST: '0.0.0.0', CLICKHOUSE_PASSWORD: 'x' }).host).toBe('0.0.0.0');
    expect(readConfig({}).host).toBe('127.0.0.1');
  });
});

describe('errors', () => {
  test("the engine's double wrapping is taken off", () => {
    const inner = 'Code: 117. DB::Exception: Unknown field (at row 2)\n: While executing File. (INCORRECT_DATA)';
    const error = fromEngine(new Error(`Code: 117. DB::Exception: ${inner} (version 26.7.2.1). (INCORRECT_DATA)`));
    expect([error.code, error.message, httpStatus(error)]).toEqual([117, inner, 400]);
  });

  test('a text without a code is an internal error', () => {
    expect(fromEngine(new Error('boom')).message).toBe('Code: 1001. DB::Exception: boom (STD_EXCEPTION)');
  });

  test('an own status wins, the file behind a request stays hidden', () => {
    expect(httpStatus(raise('TOO_MANY_BYTES', 'x', 413))).toBe(413);
    expect(httpStatus(raise('READONLY', 'x'))).toBe(500);
    expect(withoutPath(raise('BAD_ARGUMENTS', "in a FROM INFILE '/f' FORMAT x (in /f)"), '/f').message).toBe(
      'Code: 36. DB::Exception: in a FORMAT x (in (request body)) (BAD_ARGUMENTS)',
    );
  });
});
