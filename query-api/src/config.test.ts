import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError, configHelp, loadConfig } from './config.ts';

let NEEDED: Record<string, string>;
const STORES = {
  DATABASE_URL: 'pglite:/tmp/registry',
  BUS_URL: 'lmdb:/tmp/bus',
  CLICKHOUSE_URL: 'http://127.0.0.1:8123',
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lanewatch-config-'));
  const secret = join(directory, 'auth-secret');
  writeFileSync(secret, 's'.repeat(64), { mode: 0o600 });
  NEEDED = { ...STORES, AUTH_SECRET_FILE: secret };
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function problemsOf(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

test('what is needed is enough, and the rest has its documented default', () => {
  expect(loadConfig(NEEDED)).toMatchObject({
    host: '127.0.0.1',
    port: 4610,
    controlToken: null,
    sessionIdleSeconds: 43_200,
    dashboardUrl: 'http://127.0.0.1:4600',
    clickhouse: { user: 'default', database: 'lanewatch' },
  });
});

test('all problems come in one message, and values that could be secrets in none', () => {
  const message = problemsOf({
    DATABASE_URL: 'mysql://root:hunter2@db/x',
    QUERY_API_PORT: '99999',
    CLICKHOUSE_DATABASE: 'x; DROP DATABASE y',
    CONTROL_TOKEN_FILE: join(directory, 'missing'),
  });
  for (const name of [
    'DATABASE_URL',
    'BUS_URL',
    'CLICKHOUSE_URL',
    'AUTH_SECRET_FILE',
    'QUERY_API_PORT',
    'CLICKHOUSE_DATABASE',
    'CONTROL_TOKEN_FILE',
  ]) {
    expect(message).toContain(name);
  }
  expect(message).not.toContain('hunter2');
});

test('a control token that others can read, or that could be guessed, is refused', () => {
  const file = join(directory, 'token');
  writeFileSync(file, 'a'.repeat(64), { mode: 0o644 });
  expect(problemsOf({ ...NEEDED, CONTROL_TOKEN_FILE: file })).toContain('mode 0600');
  const short = join(directory, 'short');
  writeFileSync(short, 'abc', { mode: 0o600 });
  expect(problemsOf({ ...NEEDED, CONTROL_TOKEN_FILE: short })).toContain('at least 32');
  const good = join(directory, 'good');
  writeFileSync(good, `${'b'.repeat(64)}\n`, { mode: 0o600 });
  expect(loadConfig({ ...NEEDED, CONTROL_TOKEN_FILE: good }).controlToken).toBe('b'.repeat(64));
});

test('an OpenID provider is configured whole or not at all, and never gives the role admin', () => {
  const file = join(directory, 'client-secret');
  writeFileSync(file, 'client secret', { mode: 0o600 });
  const oidc = { OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'lanewatch', OIDC_CLIENT_SECRET_FILE: file };
  expect(loadConfig({ ...NEEDED, ...oidc }).oidc).toMatchObject({ clientSecret: 'client secret', role: null });
  expect(loadConfig({ ...NEEDED, ...oidc, OIDC_ROLE: 'analyst' }).oidc).toMatchObject({ role: 'analyst' });
  expect(problemsOf({ ...NEEDED, ...oidc, OIDC_ROLE: 'admin' })).toContain('OIDC_ROLE');
  expect(problemsOf({ ...NEEDED, OIDC_ISSUER: 'https://id.example' })).toContain('OIDC_CLIENT_ID: is needed');
});

test('help names every variable', () => {
  for (const name of [...Object.keys(NEEDED), 'TOPIC_PREFIX', 'SESSION_TTL_HOURS', 'CONTROL_TOKEN_FILE']) {
    expect(configHelp()).toContain(name);
  }
});
