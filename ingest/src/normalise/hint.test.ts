import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalHint, fingerprintOf, hintOf } from '../../contract/index.ts';
import { readHint } from './hint.ts';
import { normaliseUsageEvent } from './normalise.ts';

const read = (given: string) => readHint(given, { redactions: 0, truncated: false });
const eventWith = (hint: string, fingerprint?: string) => {
  const result = normaliseUsageEvent(
    { source: 's', id: 'i', time: '2026-11-20T12:00:00Z', credential: { hint, fingerprint } },
    { receivedAt: Date.UTC(2026, 10, 20, 12), collector: '' },
  );
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result;
};

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const LETTERS = LOWER + LOWER.toUpperCase();
const DIGITS = '0123456789';
const random = (alphabet: string, minLength: number, maxLength = 80) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

/** Keys of issuers that publish no format: any alphabet, any length that is safe to use as a key with it. */
const KEYS: Record<string, fc.Arbitrary<string>> = {
  hex: random('0123456789abcdef', 32),
  'upper-case hex': random('0123456789ABCDEF', 32),
  uuid: fc.uuid(),
  'uuid without dashes': fc.uuid().map((uuid) => uuid.replaceAll('-', '')),
  base62: random(LETTERS + DIGITS, 24),
  base64url: random(`${LETTERS}${DIGITS}-_`, 24),
  base64: random(`${LETTERS}${DIGITS}+/`, 28).map((body) => `${body}==`),
  base32: random(`${LOWER.toUpperCase()}234567`, 40),
  'letters only': random(LETTERS, 34),
  'lower-case letters only': random(LOWER, 34),
  'lower-case letters and digits': random(LOWER + DIGITS, 40),
  digits: random(DIGITS, 16),
  'an unknown prefix': random('0123456789abcdef', 32).map((body) => `key-${body}`),
  'an unknown prefix with words': random(LETTERS + DIGITS, 32).map((body) => `acme_live_${body}`),
  'a short key of LiteLLM': random(DIGITS, 4, 12).map((body) => `sk-${body}`),
};
/** A hint shows a prefix, three characters and four: a longer piece of the key is a leak. */
const leaks = (key: string, text: string) =>
  Array.from({ length: Math.max(1, key.length - 12) }, (_, at) => key.slice(at, at + 13)).some((piece) =>
    text.includes(piece),
  );

describe('a key that stands where the hint should be', () => {
  test.each(Object.entries(KEYS))('%s: becomes hint and fingerprint, and nothing else of it is kept', (_, key) => {
    fc.assert(
      fc.property(key, fc.constantFrom('', ' ', '\n'), (secret, blank) => {
        fc.pre(!/^[0-9a-f]{64}$/i.test(secret));
        const { event, redactions } = eventWith(`${blank}${secret}${blank}`);
        expect(event).toMatchObject({ fingerprint: fingerprintOf(secret), hint: hintOf(secret) });
        expect(event.flags).toEqual(['raw_key_hashed']);
        expect(redactions).toBe(1);
        expect(leaks(secret, JSON.stringify(event))).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test.each(Object.entries(KEYS))('%s: is masked within a label too, but is no fingerprint', (_, key) => {
    fc.assert(
      fc.property(key, fc.constantFrom('key of Dana:', 'prod', 'see vault,'), (secret, label) => {
        fc.pre(!/^[0-9a-f]{64}$/i.test(secret));
        const { event } = eventWith(`${label} ${secret} (old)`);
        expect(event.fingerprint).toBe('');
        expect(event.hint).toContain(label);
        expect(event.flags).toContain('redacted');
        expect(leaks(secret, JSON.stringify(event))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test('the fingerprint that the event names goes before the one of the key in the hint', () => {
    const event = eventWith('0123456789abcdef0123456789abcdef', 'ab'.repeat(32)).event;
    expect(event).toMatchObject({ fingerprint: 'ab'.repeat(32), hint: '012...cdef' });
  });

  test('a fingerprint in the hint is the fingerprint, in each of its spellings, and no hint', () => {
    for (const spelling of ['ab'.repeat(32), `sha256:${'AB'.repeat(32)}`]) {
      expect(eventWith(spelling).event).toMatchObject({ fingerprint: 'ab'.repeat(32), hint: '', flags: [] });
      expect(eventWith(spelling, 'cd'.repeat(32)).event).toMatchObject({ fingerprint: 'cd'.repeat(32), hint: '' });
    }
  });
});

describe('labels that people give stay', () => {
  test.each([
    'devkey',
    'payments-prod-key-2026',
    'PaymentsProductionKey',
    'CI_KEY_STAGING_01',
    'k8s-prod-eu1-claude',
    's3-backup-2026-11-21',
    'oauth2proxy-internal',
    'prodEU2key-analytics',
    'litellm-proxy-virtual-key',
    'GitHubActionsDeployKey',
    'customer-support-bot-v2',
    'anthropic_api_key_finance',
    'OPENAI_API_KEY_PROD',
    'sk-platform-team',
    'xai-payments-prod-2026',
    'jenkins-20261121-1015',
    'user:12345/project:6789',
    'gateway.internal.acme.example',
    'dana@acme.example',
    'arn:aws:iam::123456789012:role/Payments',
    'Mistral-Large-Évaluation',
    'Schlüssel-für-Zahlungen',
    '支払い本番環境用のキー2026年',
    "Dana's key for the nightly CI runs",
    'Team Risk (production, read only)',
  ])('%s', (label) => {
    expect(eventWith(label).event).toMatchObject({ hint: label, fingerprint: '', flags: [] });
  });

  test('names put together from words and small numbers', () => {
    const word = fc.constantFrom('payments', 'prod', 'team', 'claude', 'staging', 'billing', 'gateway', 'agent');
    const number = fc.constantFrom('', '1', '42', '2026', 'v2', '20261121');
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 2, maxLength: 5 }),
        number,
        fc.constantFrom(...'-_. /:'),
        (words, last, by) => {
          const label = [...words, last].filter((part) => part !== '').join(by);
          expect(read(label)).toEqual({ hint: label, fingerprint: '', rawKey: null });
        },
      ),
    );
  });

  test('a long label is cut at its limit and flagged, whatever its length', () => {
    const { event } = eventWith('payments key '.repeat(1_000_000));
    expect(event.hint.length).toBeLessThanOrEqual(128);
    expect(event.flags).toEqual(['truncated']);
  });
});

describe('masked forms', () => {
  test.each([
    ['sk-ant-api03-R2D...igAA', 'sk-ant-api03-R2D...igAA'],
    ['sk-ant-****C001', 'sk-ant-...C001'],
    ['sk-abc…wxyz', 'sk-abc...wxyz'],
    [' AIzaSyB***m0O8 ', 'AIzaSyB...m0O8'],
    ['other...hint', 'other...hint'],
  ])('%s keeps its ends: %s', (given, kept) => {
    expect(eventWith(given).event).toMatchObject({ hint: kept, fingerprint: '', flags: [] });
  });

  test.each([
    ['sk-ant-api03-R2DaBcDeF...xxigAA', 'sk-ant-api03-R2D...igAA'],
    [`${'a1B2'.repeat(10)}...wxyz`, 'a1B2a1B2...wxyz'],
    [`sk-...${'a1B2'.repeat(10)}`, 'sk-...a1B2'],
    [`team (${'a1B2'.repeat(10)}...wxyz)`, 'team (a1B2a1B...xyz)'],
  ])('%s showed too much: %s', (given, kept) => {
    expect(eventWith(given).event).toMatchObject({ hint: kept, flags: ['redacted'] });
  });

  test('of a known or unknown key never more than its prefix with three characters, or eight, and four are shown', () => {
    const key = fc.oneof(KEYS.base62!, KEYS.base64url!, KEYS.hex!);
    fc.assert(
      fc.property(
        key,
        fc.constantFrom('', 'sk-', 'sk-ant-api03-', 'key-'),
        fc.nat(60),
        fc.nat(60),
        fc.constantFrom('...', '.....', '…', '***', '********'),
        (secret, prefix, head, tail, mask) => {
          const shown = prefix + secret.slice(0, head);
          const { hint, rawKey } = read(
            `${shown}${mask}${secret.slice(secret.length - Math.min(tail, secret.length))}`,
          );
          expect(rawKey).toBeNull();
          const [left = '', right = ''] = hint.split('...');
          expect(left.length).toBeLessThanOrEqual(Math.max(8, prefix.length + 3));
          expect(shown.startsWith(left)).toBe(true);
          expect(right.length).toBeLessThanOrEqual(4);
          expect(canonicalHint(hint)).toBe(hint);
        },
      ),
    );
  });

  test('reading the same hint again gives the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), ...Object.values(KEYS)), (given) => {
        expect(read(given)).toEqual(read(given));
        const { hint } = read(given);
        if (hint !== '' && hint === given) expect(read(hint).hint).toBe(hint);
      }),
    );
  });

  test('long hostile hints are read in proportion to their length', () => {
    for (const unit of ['.', '...', '…', '*', 'a...', '...*', 'sk-', 'aA1', '- ', 'x-']) {
      const started = performance.now();
      read(`${unit.repeat(500_000 / unit.length)}*a`);
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });
});
