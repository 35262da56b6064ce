import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseUsageEvent } from '../normalise/normalise.ts';
import { isHarmless, redactSecrets, wholeApiKey } from './redact.ts';
import { SECRET_RULES } from './rules.ts';

const B62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const of = (alphabet: string, length: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: length, maxLength: length });
const base62 = (length: number) => of(B62, length);
const urlSafe = (length: number) => of(`${B62}-_`, length);
const hex = (length: number) => of('0123456789abcdef', length);
const upper = (length: number) => of('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', length);

/** Keys as their issuers make them (lengths as published). */
const KEYS: Record<string, fc.Arbitrary<string>> = {
  anthropic: urlSafe(93).map((body) => `sk-ant-api03-${body}AA`),
  'anthropic admin': urlSafe(93).map((body) => `sk-ant-admin01-${body}AA`),
  'anthropic oauth': urlSafe(93).map((body) => `sk-ant-oat01-${body}AA`),
  'openai project': fc.tuple(urlSafe(74), urlSafe(74)).map(([a, b]) => `sk-proj-${a}T3BlbkFJ${b}`),
  'openai legacy': fc.tuple(base62(20), base62(20)).map(([a, b]) => `sk-${a}T3BlbkFJ${b}`),
  openrouter: hex(64).map((body) => `sk-or-v1-${body}`),
  aws: upper(16).map((body) => `AKIA${body}`),
  'aws temporary': upper(16).map((body) => `ASIA${body}`),
  google: urlSafe(35).map((body) => `AIza${body}`),
  github: base62(36).map((body) => `ghp_${body}`),
  'github fine-grained': fc.tuple(base62(22), base62(59)).map(([a, b]) => `github_pat_${a}_${b}`),
  gitlab: urlSafe(20).map((body) => `glpat-${body}`),
  slack: fc.tuple(of('0123456789', 12), base62(24)).map(([a, b]) => `xoxb-${a}-${b}`),
  stripe: base62(24).map((body) => `sk_live_${body}`),
  'hugging face': base62(34).map((body) => `hf_${body}`),
  xai: base62(80).map((body) => `xai-${body}`),
  groq: base62(52).map((body) => `gsk_${body}`),
  perplexity: base62(48).map((body) => `pplx-${body}`),
  replicate: base62(37).map((body) => `r8_${body}`),
  nvidia: urlSafe(64).map((body) => `nvapi-${body}`),
  lanewatch: fc.tuple(base62(32), base62(6)).map(([a, b]) => `lw_prod_${a}_${b}`),
  jwt: fc.tuple(urlSafe(40), urlSafe(43)).map(([a, b]) => `eyJhbGciOiJIUzI1NiJ9.eyJ${a}.${b}`),
  'private key': urlSafe(64).map((body) => `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----`),
};
/** Keys whose prefix also occurs inside words count only after a character that is no letter or digit. */
const BOUNDED_KEYS: Record<string, fc.Arbitrary<string>> = {
  deepseek: hex(31).map((body) => `sk-${body}7`),
  litellm: urlSafe(21).map((body) => `sk-${body}7`),
};

const redact = (text: string) => {
  const tally = { redactions: 0 };
  return { text: redactSecrets(text, tally), redactions: tally.redactions };
};
/** Longer than what a hint shows (prefix, 3, 4): when no such piece survives, the key did not. */
const pieces = (key: string) => Array.from({ length: key.length - 24 }, (_, at) => key.slice(at + 4, at + 24));
const survives = (key: string, text: string) => pieces(key.replaceAll('\n', ' ')).some((piece) => text.includes(piece));

const FIELDS = [
  'source',
  'id',
  'org',
  'user',
  'ip',
  'host',
  'session',
  'request_id',
  'repo',
  'branch',
  'provider',
  'model',
  'module',
  'environment',
  'operation',
];
const NESTED: [string, string][] = [
  ['agent', 'name'],
  ['agent', 'version'],
  ['credential', 'hint'],
  ['credential', 'provider'],
];

describe('every key format, anywhere in any kept field', () => {
  test.each(Object.entries({ ...KEYS, ...BOUNDED_KEYS }))('%s never survives', (name, key) => {
    const around = fc.string({ maxLength: 30 });
    const boundary = name in BOUNDED_KEYS ? ' ' : '';
    fc.assert(
      fc.property(
        key,
        around,
        around,
        fc.constantFrom<string | [string, string]>(...FIELDS, ...NESTED),
        (secret, before, after, field) => {
          const text = `${before}${boundary}${secret}${boundary}${after}`;
          const input: Record<string, unknown> = { source: 's', id: 'i', time: '2026-11-20T12:00:00Z' };
          if (typeof field === 'string') input[field] = text;
          else input[field[0]] = { [field[1]]: text };
          const result = normaliseUsageEvent(input, { receivedAt: Date.UTC(2026, 10, 20), collector: '' });
          if (!result.ok) throw new Error(JSON.stringify(result.errors));
          expect(result.redactions).toBeGreaterThan(0);
          expect(survives(secret, JSON.stringify(result.event))).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each(Object.entries(KEYS).filter(([name]) => name !== 'private key'))(
    'a %s key alone is recognised as the credential itself',
    (_, key) => {
      fc.assert(
        fc.property(key, (secret) => wholeApiKey(` Bearer ${secret} `) === secret),
        { numRuns: 50 },
      );
    },
  );
});

describe('the short cut for harmless text', () => {
  const literals = SECRET_RULES.flatMap(({ starts }) => starts);
  const anyText = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.string({ maxLength: 20 }),
        fc.constantFrom(...literals, 'token=', 'password: ', '://u:p@', '\u0000', '\u007f', '\ud800', '\n'),
        base62(24),
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join(''));

  test('takes nothing that the long way would have changed', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (!isHarmless(text)) return;
        expect(redact(text)).toEqual({ text, redactions: 0 });
        expect(text).toMatch(/^[\x20-\x7e]*$/);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(['person@acme.example', 'development', 'acme/payments', 'claude-code', 'a'.repeat(64)])(
    'is taken by %s',
    (text) => {
      expect(isHarmless(text)).toBe(true);
    },
  );
});

describe('secrets without a format of their own', () => {
  test.each([
    ['Authorization: Bearer abcdef123456', 'Authorization: Bearer ...'],
    ['authorization: basic dXNlcjpwYXNzd29yZA==', 'authorization: Basic ...'],
    ['curl -H "x-api-key: 0123456789abcdef"', 'curl -H "x-api-key: ..."'],
    ['password=hunter2hunter2', 'password=...'],
    ['{"client_secret":"a1b2c3d4e5"}', '{"client_secret":"..."}'],
    ['AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'AWS_SECRET_ACCESS_KEY=...'],
    ['https://dana:p@ss@git.example/x', 'https://git.example/x'],
    ['postgres://app:s3cret@db/x', 'postgres://db/x'],
    ['https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX', 'https://hooks.slack.com/...'],
    ['key=AKIAIOSFODNN7EXAMPLE', 'key=AKIAIOS...MPLE'],
    ['Authorization: Token 9944b09199c62bcf9418ad846dd0e4bb', 'Authorization: Token ...'],
    ['"Authorization": "ApiKey c2VjcmV0LXZhbHVl1"', '"Authorization": "ApiKey ..."'],
    ['{\\"password\\":\\"hunter2hunter2\\"}', '{\\"password\\":\\"...\\"}'],
    ['{\\\\\\"api_key\\\\\\": \\\\\\"hunter2hunter2\\\\\\"}', '{\\\\\\"api_key\\\\\\": \\\\\\"...\\\\\\"}'],
    ['password=back\\slash1', 'password=...'],
    ['GET https://maps.example/v1?key=0123456789abcdef0123456789abcdef', 'GET https://maps.example/v1?key=...'],
    ['/v1/models?alt=json&key=0123456789abcdef0123456789abcdef&x=1', '/v1/models?alt=json&key=...&x=1'],
    ['curl -u dana:hunter2 https://api.example', 'curl -u ... https://api.example'],
    ["curl -sS -u 'dana:pass word'", "curl -sS -u ... word'"],
    ['curl --user "dana:hunter2" https://api.example', 'curl --user ... https://api.example'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toEqual({ text: expected, redactions: 1 });
  });

  test('several secrets in one text are all replaced and counted', () => {
    const { text, redactions } = redact(`AKIAIOSFODNN7EXAMPLE ghp_${'a1'.repeat(18)} token: abcdefgh12`);
    expect(redactions).toBe(3);
    expect(text).toBe('AKIAIOS...MPLE ghp_a1a...a1a1 token: ...');
  });
});

describe('ordinary texts stay as they are', () => {
  test.each([
    'claude-sonnet-4-5-20250929',
    'f53749e0-4af2-473a-83a6-2ee55bf8d736',
    'req_011CAPTURED00000000000000',
    'chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f',
    'acme/risk-analytics-service-2026',
    'task-20261121-abcdef0123456789',
    'sk-learn-feature-engineering-pipeline',
    'https://github.com/acme/payments-api.git',
    'ssh://git@github.com/acme/payments-api.git',
    'git@github.com:acme/payments-api.git',
    'bearer authentication failed',
    'basic operation',
    'POST https://api.anthropic.com/v1/messages?beta=true',
    'eaee6dd2829158393d6936b351fcf859b037d29ab24f900c9b37c3f5d3df039d',
    'sk-ant-api03-R2D...igAA',
    'sk-...3f2A',
    '2001:db8:85a3::8a2e:370:7334',
    'tokens: input',
    'api_request:sdk',
    'dana@acme.example',
    'feature/ASIA-pacific-rollout',
    'docker run -u 1000:1000 node',
    'git push -u origin main:main',
    'sort -u names',
    'sudo -u postgres psql',
    'authorization: token expired',
    'monkey=0123456789abcdef0123456789abcdef',
  ])('%s', (text) => {
    expect(redact(text)).toEqual({ text, redactions: 0 });
  });

  test('redacting twice changes nothing more', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(...Object.values(KEYS), fc.string()), { maxLength: 4 }), (parts) => {
        const once = redact(parts.join(' ')).text;
        expect(redact(once).text).toBe(once);
      }),
    );
  });
});

test('long hostile texts are scanned in proportion to their length', () => {
  for (const unit of ['sk-', 'eyJ', 'Bearer ', 'token=', '://', '-----BEGIN ', 'key: "', 'hf_a', 'sk-ant-']) {
    const started = performance.now();
    redact(unit.repeat(50_000 / unit.length));
    expect(performance.now() - started).toBeLessThan(2_000);
  }
});

test('every rule has at least three literal characters, on which the quick scan rests', () => {
  for (const { name, starts, pattern } of SECRET_RULES) {
    expect(
      starts.every((start) => /^[\x20-\x7e]{3}/.test(start)),
      name,
    ).toBe(true);
    expect(pattern.sticky, name).toBe(true);
  }
});
