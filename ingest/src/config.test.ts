import { expect, test } from 'vitest';
import { ConfigError, describeConfig, loadConfig } from './config.ts';

const problemsOf = (environment: Record<string, string>) => {
  try {
    loadConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  return expect.fail('the configuration was taken');
};

test('only the bus is needed; everything else has a default on loopback', () => {
  expect(loadConfig({ BUS_URL: 'lmdb:/tmp/x', SPOOL_BYTES_MAX: '' })).toMatchObject({
    host: '127.0.0.1',
    port: 4618,
    grpcPort: 4317,
    grpcIsOptional: true,
    usagePartitions: 12,
    spoolDir: '.lanewatch/ingest-spool',
    spoolBytesMax: 2 ** 30,
    bodyBytesMax: 64 * 2 ** 20,
    trustedProxies: [],
  });
  expect(
    loadConfig({
      BUS_URL: 'kafka://host',
      SPOOL_DIR: 'off',
      INGEST_GRPC_PORT: 'off',
      TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    }),
  ).toMatchObject({
    spoolDir: null,
    grpcPort: null,
    trustedProxies: ['10.0.0.0/8', '::1'],
  });
});

test('all problems come in one message, each with the name of its variable', () => {
  const message = problemsOf({
    INGEST_PORT: '99999',
    INGEST_GRPC_PORT: 'none',
    TRUSTED_PROXIES: '10.0.0.0/33',
    LOG_LEVEL: 'loud',
    INSTANCE: 'a b',
    LINGER_MS: '1.5',
    TOPIC_PREFIX: 'a b/',
  });
  for (const name of [
    'BUS_URL',
    'INGEST_PORT',
    'INGEST_GRPC_PORT',
    'TRUSTED_PROXIES',
    'LOG_LEVEL',
    'INSTANCE',
    'LINGER_MS',
    'TOPIC_PREFIX',
  ]) {
    expect(message).toContain(`  ${name}: `);
  }
});

test.each([
  ['BUS_URL', 'redis://x', 'begins with kafka:// or lmdb:/'],
  ['BUS_URL', 'kafka://user:hunter2@host?sasl=nope', 'sasl'],
  ['BUS_URL', 'lmdb:bus', 'absolute directory'],
  ['TRUSTED_PROXIES', '10.0.0.0/8, 0.0.0.0/0', 'no range may hold all addresses'],
  ['TRUSTED_PROXIES', '::/0', 'no range may hold all addresses'],
  ['TOPIC_PREFIX', 'a/', 'must be at most 100 letters'],
])('%s=%s, which would fail only when ingest runs, is refused', (name, value, reason) => {
  const message = problemsOf({ BUS_URL: 'kafka://host', [name]: value });
  expect(message).toMatch(new RegExp(`  ${name}: .*${reason}`));
  expect(message).not.toContain('hunter2');
});

test('a body that may be larger than all bodies together is refused, beside what else is wrong', () => {
  const message = problemsOf({ INFLIGHT_BYTES_MAX: '2097152', LOG_LEVEL: 'loud' });
  expect(message).toMatch(
    /has 3 problem[^]*BUS_URL[^]*LOG_LEVEL[^]*INFLIGHT_BYTES_MAX: must be at least BODY_BYTES_MAX/,
  );
});

test('the help names every setting with its default', () => {
  expect(describeConfig()).toMatch(
    /INGEST_PORT \[4618\][\s\S]*BUS_URL \(required\)[\s\S]*SPOOL_BYTES_MAX \[1073741824\]/,
  );
});
