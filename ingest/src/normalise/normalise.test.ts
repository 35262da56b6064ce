import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeUsageRow,
  fingerprintOf,
  TEXT_LIMITS,
  TIME_MAX_MS,
  USAGE_COLUMNS,
  type UsageEvent,
  usageEventInputSchema,
  type UsageRow,
} from '../../contract/index.ts';
import { anyInput, eventInput } from '../testing/arbitraries.ts';
import { normaliseUsageEvent, type NormaliseResult } from './normalise.ts';

const RECEIVED_AT = Date.parse('2026-11-20T12:00:00Z');
const OPTIONS = { receivedAt: RECEIVED_AT, collector: 'c1' };
const MINIMAL = { source: 's', id: 'i', time: '2026-11-20T12:00:00Z' };

const normalise = (input: unknown) => normaliseUsageEvent(input, OPTIONS);
function accepted(fields: Record<string, unknown>): Extract<NormaliseResult, { ok: true }> {
  const result = normalise({ ...MINIMAL, ...fields });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result;
}
const eventOf = (fields: Record<string, unknown>): UsageEvent => accepted(fields).event;
function faultsOf(fields: Record<string, unknown>) {
  const result = normalise({ ...MINIMAL, ...fields });
  return result.ok ? [] : result.errors.map(({ path }) => path);
}

describe('what makes an event', () => {
  test.each([
    [{ ...MINIMAL, source: undefined }, 'source', /required/],
    [{ ...MINIMAL, id: '' }, 'id', /empty/],
    [{ ...MINIMAL, id: 'x'.repeat(513) }, 'id', /512/],
    [{ ...MINIMAL, id: 7 }, 'id', /text/],
    [{ ...MINIMAL, time: undefined }, 'time', /required/],
    [{ ...MINIMAL, time: '2026-11-20 12:00:00' }, 'time', /RFC 3339/],
    [{ ...MINIMAL, time: 1795216474576 }, 'time', /RFC 3339/],
    [null, '', /object/],
    [[], '', /object/],
    ['text', '', /object/],
  ])('%o is refused at %s with a reason', (input, path, message) => {
    const result = normalise(input);
    expect(result).toMatchObject({ ok: false, errors: [{ path, message: expect.stringMatching(message) as string }] });
  });

  test('all faults of an event are named together, up to 16', () => {
    expect(normalise({})).toMatchObject({ errors: [{ path: 'source' }, { path: 'id' }, { path: 'time' }] });
    const names = [
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
    ];
    const wrong = Object.fromEntries(
      [...names, 'environment', 'operation', 'action', 'outcome'].map((name) => [name, 1]),
    );
    expect(faultsOf(wrong)).toHaveLength(15);
    expect(faultsOf({ ...wrong, latency_ms: -1 })).toHaveLength(16);
    expect(faultsOf({ ...wrong, latency_ms: -1, status_code: -1, cost_usd: -1, tokens: 1 })).toHaveLength(16);
  });

  test('only identity and time are needed', () => {
    expect(eventOf({})).toMatchObject({
      action: 'execution',
      outcome: 'success',
      credential_kind: 'none',
      cost_basis: 'none',
    });
  });

  test.each(['10.0.3.17:50432', '::ffff:10.0.3.17'])('the address %s is one endpoint with 10.0.3.17', (ip) => {
    expect(eventOf({ ip }).ip).toBe('10.0.3.17');
  });

  test('unknown fields are dropped and counted at every level, null is absent', () => {
    const { event, droppedFields } = accepted({
      messages: ['secret prompt'],
      org: null,
      credential: { x: 1, hint: 'sk-ant-...C001' },
      agent: { name: 'a', y: 2 },
      tokens: { output: 1, z: 3, cache_read: null },
      model: undefined,
    });
    expect(droppedFields).toBe(4);
    expect(JSON.stringify(event)).not.toContain('secret prompt');
  });

  test('__proto__ and constructor are ordinary unknown fields', () => {
    const input: unknown = JSON.parse(
      `{"source":"s","id":"i","time":"2026-11-20T12:00:00Z","__proto__":{"org":"evil"},"constructor":{"prototype":{"x":1}},"agent":{"__proto__":{"name":"evil"}}}`,
    );
    const result = normalise(input);
    expect(result).toMatchObject({ ok: true, droppedFields: 3, event: { org: '', agent: '' } });
    expect(({} as Record<string, unknown>).org).toBeUndefined();
  });
});

describe('numbers', () => {
  test.each([
    [{ rate_limits: { tokens: { limit: 1.5 } } }, 'rate_limits.tokens.limit'],
    [{ rate_limits: { tokens: { reset_at: 'soon' } } }, 'rate_limits.tokens.reset_at'],
    [{ tokens: { output: -1 } }, 'tokens.output'],
    [{ tokens: { output: 1.5 } }, 'tokens.output'],
    [{ tokens: { output: 2 ** 53 } }, 'tokens.output'],
    [{ tokens: { input_uncached: '5' } }, 'tokens.input_uncached'],
    [{ tokens: [] }, 'tokens'],
    [{ cost_usd: -0.01 }, 'cost_usd'],
    [{ cost_usd: 9_000_001 }, 'cost_usd'],
    [{ cost_usd: '0.0000000001' }, 'cost_usd'],
    [{ cost_usd: '1e-3' }, 'cost_usd'],
    [{ cost_usd: NaN }, 'cost_usd'],
    [{ status_code: 1000 }, 'status_code'],
    [{ latency_ms: -1 }, 'latency_ms'],
    [{ outcome: 'ok' }, 'outcome'],
  ])('%o is refused at %s', (fields, path) => {
    expect(faultsOf(fields)).toEqual([path]);
  });

  test('decimal dollars become exact billionths, as text and as number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8_999_999 }), fc.integer({ min: 0, max: 999_999_999 }), (whole, nano) => {
        const text = `${whole}.${String(nano).padStart(9, '0')}`;
        expect(eventOf({ cost_usd: text }).cost_nano_usd).toBe(whole * 1e9 + nano);
        // A double tells 15 digits apart, so only amounts within that must come back from a number.
        if (whole < 1_000_000) expect(eventOf({ cost_usd: Number(text) }).cost_nano_usd).toBe(whole * 1e9 + nano);
      }),
    );
    expect(eventOf({ cost_usd: 0.005699999999999999 }).cost_nano_usd).toBe(5_700_000);
    expect(eventOf({ cost_usd: '9000000' }).cost_nano_usd).toBe(9e15);
    expect(eventOf({ cost_usd: 8_999_999.5 }).cost_nano_usd).toBe(8_999_999_500_000_000);
  });

  test('a missing cost is estimated when model and tokens are there, cache included', () => {
    const tokens = { input_uncached: 25, cache_read: 3400, cache_write: 1200, output: 7 };
    const priced = { model: 'claude-sonnet-4-5', provider: 'anthropic', tokens };
    for (let again = 0; again < 2; again++) {
      expect(eventOf(priced)).toMatchObject({ cost_nano_usd: 5_700_000, cost_basis: 'estimated' });
    }
    expect(eventOf({ ...priced, provider: undefined })).toMatchObject({ cost_nano_usd: 5_700_000 });
    expect(eventOf({ ...priced, model: 'no-such-model' })).toMatchObject({ cost_nano_usd: 0, cost_basis: 'none' });
    expect(eventOf({ ...priced, tokens: {} })).toMatchObject({ cost_basis: 'none' });
    expect(eventOf({ ...priced, cost_usd: 1 })).toMatchObject({ cost_nano_usd: 1e9, cost_basis: 'reported' });
    expect(eventOf({ cost_usd: 1, cost_basis: 'estimated' })).toMatchObject({ cost_basis: 'estimated' });
  });

  test('an outcome that is not named follows from the status', () => {
    const outcomes = [200, 401, 403, 429, 500].map((status_code) => eventOf({ status_code }).outcome);
    expect(outcomes).toEqual(['success', 'denied', 'denied', 'rate_limited', 'failed']);
  });
});

describe('time', () => {
  test.each([
    ['2026-11-20T12:00:00.123456789Z', Date.parse('2026-11-20T12:00:00.123Z'), []],
    ['2026-11-20T14:00:00+02:00', RECEIVED_AT, []],
    ['2024-02-29T00:00:00.000Z', Date.parse('2024-02-29T00:00:00Z'), ['time_past']],
    ['1969-12-31T23:59:59Z', 0, ['time_past', 'time_clamped']],
    ['0001-01-01T00:00:00Z', 0, ['time_past', 'time_clamped']],
    ['9999-12-31T23:59:59Z', TIME_MAX_MS, ['time_future', 'time_clamped']],
    ['2026-11-20t12:00:00.000z', RECEIVED_AT, []],
    ['2026-11-20t12:00:00z', RECEIVED_AT, []],
    ['2026-11-20T13:00:00Z', Date.parse('2026-11-20T13:00:00Z'), ['time_future']],
  ])('%s is kept with flags', (time, expected, flags) => {
    expect(eventOf({ time })).toMatchObject({ time: expected, flags });
  });

  test.each([
    '2023-02-29T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-11-31T00:00:00.000Z',
    '2026-11-20T24:00:00.000Z',
  ])('%s is no time', (time) => {
    expect(faultsOf({ time })).toEqual(['time']);
  });
});

describe('the credential', () => {
  const KEY = `sk-ant-api03-${'x'.repeat(40)}A1b2-${'y'.repeat(45)}AA`;

  test('other spellings of a fingerprint become the one form', () => {
    expect(eventOf({ credential: { fingerprint: `SHA256:${'AB'.repeat(32)}` } }).fingerprint).toBe('ab'.repeat(32));
  });

  test.each(['fingerprint', 'hint'])('a raw key in %s becomes fingerprint and hint', (field) => {
    const { event, redactions } = accepted({ credential: { [field]: ` ${KEY}` } });
    expect(event).toMatchObject({
      fingerprint: fingerprintOf(KEY),
      hint: 'sk-ant-api03-xxx...yyAA',
      credential_provider: 'anthropic',
      credential_kind: 'api_key',
      flags: ['raw_key_hashed'],
    });
    expect(redactions).toBe(1);
  });

  test('a raw key without a known format, where a hint should be, is not kept either', () => {
    const azure = '0123456789abcdef0123456789abcdef';
    expect(eventOf({ credential: { hint: azure } })).toMatchObject({
      fingerprint: fingerprintOf(azure),
      hint: '012...cdef',
    });
  });

  test('a label stays a label, a masked form gets the one mask', () => {
    expect(eventOf({ credential: { hint: 'payments-prod-key-2026' } }).hint).toBe('payments-prod-key-2026');
    expect(eventOf({ credential: { hint: 'sk-ant-****C001' } }).hint).toBe('sk-ant-...C001');
  });

  test('a fingerprint that is none is refused, or dropped where the sender cannot act on the answer', () => {
    expect(faultsOf({ credential: { fingerprint: 'nope' } })).toEqual(['credential.fingerprint']);
    const dropped = normaliseUsageEvent(
      { ...MINIMAL, credential: { fingerprint: 'nope', hint: 'sk-ant-...C001' } },
      { ...OPTIONS, invalidFingerprint: 'drop' },
    );
    expect(dropped).toMatchObject({
      ok: true,
      event: { fingerprint: '', hint: 'sk-ant-...C001', flags: ['fingerprint_invalid'] },
    });
  });

  test('no refusal repeats what was sent', () => {
    const result = normalise({
      source: 7,
      id: { x: KEY },
      time: KEY,
      credential: { fingerprint: `${KEY} `.repeat(2) },
      outcome: KEY,
    });
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain('xxxx');
  });
});

describe('texts', () => {
  test('lone surrogates, NUL and control characters are replaced, line breaks become blanks', () => {
    expect(eventOf({ org: 'a\ud800b', user: 'a\u0000b\u001b[31m', host: 'a\r\n\tb', model: '😀' })).toMatchObject({
      org: 'a\ufffdb',
      user: 'a\ufffdb\ufffd[31m',
      host: 'a b',
      model: '😀',
    });
  });

  test('long texts are cut at their limit, never inside a character, and flagged', () => {
    const event = eventOf({ model: `${'m'.repeat(TEXT_LIMITS.model - 1)}😀`, org: 'o'.repeat(10_000_000) });
    expect(event.model).toHaveLength(TEXT_LIMITS.model - 1);
    expect(event.org).toHaveLength(TEXT_LIMITS.org);
    expect(event.flags).toEqual(['truncated']);
  });

  test.each([
    ['https://dana@git.example/acme/x', 'https://git.example/acme/x', 1],
    ['HTTPS://dana:p@ss@git.example/acme/x', 'HTTPS://git.example/acme/x', 1],
    [`http://${'t'.repeat(1_000)}@git.example/acme/x`, 'http://git.example/acme/x', 1],
    ['ssh://git@git.example/acme/x', 'ssh://git@git.example/acme/x', 0],
  ])('who fetched the repository %s is not kept: %s', (repo, kept, redactions) => {
    const sent_as = JSON.stringify({ repo: kept });
    expect(accepted({ repo })).toMatchObject({ event: { repo: 'git.example/acme/x', sent_as }, redactions });
  });

  test('a key that straddles the limit is not kept by half', () => {
    const key = `sk-ant-api03-${'Kk3y'.repeat(24)}AA`;
    for (let shift = 0; shift < key.length; shift++) {
      const model = `${'m'.repeat(TEXT_LIMITS.model - shift)}${key}`;
      expect(eventOf({ model }).model).not.toMatch(/Kk3yKk3y/);
    }
  });

  test('identities that differ only in what cannot be kept stay different', () => {
    const ids = [
      'a b',
      'a\tb',
      'a\nb',
      'a\r\nb',
      'a\u0000b',
      'a\u001bb',
      'a\ufffdb',
      'a\ud800b',
      'a\udfffb',
      'a\ud801b',
    ];
    for (const field of ['id', 'source'] as const) {
      const kept = ids.map((id) => eventOf({ [field]: id })[field]);
      expect(new Set(kept).size).toBe(ids.length);
      expect(kept[0]).toBe('a b');
      expect(kept).toEqual(ids.map((id) => eventOf({ [field]: id })[field]));
    }
  });

  test('two identities never become one', () => {
    const part = fc.constantFrom('a', '\t', '\n', '\u0000', '\ud800', '\udfff', '😀', ' ', '\ufffd');
    const id = fc.oneof(
      fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
      fc
        .array(part, { minLength: 480, maxLength: TEXT_LIMITS.id })
        .map((parts) => parts.join('').slice(0, TEXT_LIMITS.id)),
    );
    fc.assert(
      fc.property(id, id, (left, right) => {
        const [one, other] = [eventOf({ id: left }).id, eventOf({ id: right }).id];
        expect(one === other).toBe(left === right);
        for (const kept of [one, other]) {
          expect(kept.isWellFormed()).toBe(true);
          expect(kept.length).toBeLessThanOrEqual(TEXT_LIMITS.id);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('an identity with a secret in it stays different from another', () => {
    const id = (tail: string) => eventOf({ id: `run-sk-ant-api03-abc${'d'.repeat(30)}${tail}wxyz` }).id;
    expect(id('1')).not.toBe(id('2'));
    expect(id('1')).toBe(id('1'));
    expect(id('1')).not.toContain('dddd');
  });
});

describe('for every input', () => {
  test('normalising never throws, and what it accepts fits the limits', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const result = normalise(input);
        if (!result.ok) {
          expect(result.errors.length).toBeGreaterThan(0);
          return;
        }
        for (const [name, limit] of Object.entries(TEXT_LIMITS)) {
          const value = result.event[name as keyof UsageEvent];
          expect(typeof value === 'string' && value.length <= limit && value.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  test('it accepts what the published schema accepts (null counts as absent)', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const expected = usageEventInputSchema.safeParse(withoutNulls(input));
        // Beyond the schema, a fingerprint must be one.
        const result = normaliseUsageEvent(input, { ...OPTIONS, invalidFingerprint: 'drop' });
        const faults = result.ok ? [] : result.errors;
        expect({ ok: result.ok, faults }).toMatchObject({ ok: expected.success });
      }),
      { numRuns: 2_000 },
    );
  });

  test('an accepted event survives the bus: its row reads back as the same values in the column order', () => {
    fc.assert(
      fc.property(eventInput, (input) => {
        const result = normalise(input);
        if (!result.ok) throw new Error(JSON.stringify(result.errors));
        const row = encodeUsageRow(result.event);
        expect(row).not.toContain('\n');
        expect(JSON.parse(row) as UsageRow).toEqual(USAGE_COLUMNS.map((column) => result.event[column]));
      }),
    );
  });

  test('normalising is repeatable: the same input gives the same event', () => {
    fc.assert(
      fc.property(eventInput, (input) => {
        expect(normalise(structuredClone(input))).toEqual(normalise(input));
      }),
    );
  });
});

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

test('limits of a key are kept as they were told, zeros too, and what else stands among them is dropped and counted', () => {
  const requests = { limit: 50, remaining: 0, reset_at: '2026-11-20T12:00:01Z' };
  const { event, droppedFields } = accepted({
    rate_limits: { requests: { ...requests, burst: 1 }, tokens: {}, images: { limit: 3 } },
  });
  expect(event.rate_limits).toBe('{"requests":{"limit":50,"remaining":0,"reset_at":"2026-11-20T12:00:01.000Z"}}');
  expect(droppedFields).toBe(2);
});
