import { hintOf, parseCidr } from '@lanewatch/ingest/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createManagedSecret, secretChecksum } from './managed-secret.ts';
import { holdsRawKey } from '../../contract/raw-key.ts';

describe('managed secrets', () => {
  test('the checksum is that of GitHub’s published scheme', () => {
    // A token whose last six characters are the checksum of the thirty before, known from a public description.
    const token = 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ' + '0mLq17';
    expect(secretChecksum(token.slice(0, 30))).toBe(token.slice(30));
  });

  test('every checksum has six characters of base62', () => {
    fc.assert(fc.property(fc.string(), (text) => /^[0-9A-Za-z]{6}$/.test(secretChecksum(text))));
  });

  test('a secret names its environment, never repeats, and is recognised as a raw key', () => {
    const secrets = (['development', 'sandbox', 'staging', 'production'] as const).map(createManagedSecret);
    expect(secrets.map((secret) => secret.split('_')[1])).toEqual(['dev', 'sandbox', 'staging', 'prod']);
    for (const secret of secrets) expect(holdsRawKey(`key: ${secret}.`)).toBe(true);
    const many = new Set(Array.from({ length: 500 }, () => createManagedSecret('development')));
    expect(many.size).toBe(500);
  });
});

describe('allowed networks', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
    ['0::/0', '::/0'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.255.3/23', '10.1.254.0/23'],
    ['2001:db8:0:0:1:0:0:1/80', '2001:db8:0:0:1::/80'],
    ['::1.2.3.4/96', '::/96'],
    ['::ffff:0:0/95', '::fffe:0:0/95'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
  ])('%s is taken as %s', (text, cidr) => {
    expect(parseCidr(text)).toEqual({ ok: true, cidr });
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '2001:db8::/129',
    'example.org',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
    '10.0.0.0/1e1',
  ])('%j is refused', (text) => {
    expect(parseCidr(text).ok).toBe(false);
  });
});

describe('raw keys', () => {
  const KEYS = [
    `sk-ant-api03-${'Ab1-'.repeat(23)}xAA`,
    'sk-proj-abcdefghijklmnopqrstuvwx0123456789',
    'AKIAIOSFODNN7EXAMPLE',
    `ghp_${'a1B2'.repeat(9)}`,
    `hf_${'abcdefghij'.repeat(3)}abcd`,
    `AIza${'Sy0-_Zz'.repeat(5)}`,
    `lw_prod_${'Zz09'.repeat(8)}_000000`,
    'Q7f9ZxLm2VbNc4TrYp8KsWd3HgJa6EuX',
  ];

  test.each(KEYS)('%s is recognised alone, quoted and inside a sentence', (key) => {
    for (const text of [key, `"${key}"`, `key=${key}`, `the key is ${key}, don't tell`]) {
      expect(holdsRawKey(text), text).toBe(true);
    }
  });

  test('its hint and its fingerprint are none', () => {
    for (const key of KEYS) expect(holdsRawKey(hintOf(key))).toBe(false);
    expect(holdsRawKey('a3'.repeat(32))).toBe(false);
    expect(holdsRawKey(`sha256:${'A3'.repeat(32)}`)).toBe(false);
  });

  test('a mask that hides little does not make a key a hint', () => {
    expect(holdsRawKey(`${KEYS[0]!.slice(0, 90)}...xAA`)).toBe(true);
    expect(holdsRawKey(`sk-...${KEYS[0]!.slice(20)}`)).toBe(true);
  });

  test.each([
    'Collector of team payments',
    'Claude-Code-Team-2026-Production-Key-No-1',
    'sk-platform-service-accounts',
    'hf_transfer_benchmark_repository',
    'github.com/acme/very-long-repository-name-2026',
    'ada.lovelace@example.org',
    '',
    'claude-sonnet-4-6-20260101-long-name',
  ])('ordinary text is none: %j', (text) => {
    expect(holdsRawKey(text)).toBe(false);
  });
});
