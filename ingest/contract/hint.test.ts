import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalHint, hintEnds, hintOf } from './hint.ts';

const secret = fc
  .tuple(
    fc.constantFrom('', 'sk-ant-api03-', 'sk-proj-', 'ghp_', 'AKIA', 'key-'),
    fc.string({ unit: fc.constantFrom(...'abcXYZ0123456789-_'), minLength: 0, maxLength: 120 }),
  )
  .map(([prefix, body]) => prefix + body);

describe('hints', () => {
  test('the hint of a key is masked, in its one spelling, and the same for every mask that a console prints', () => {
    fc.assert(
      fc.property(secret, fc.constantFrom('...', '…', '*****', '......'), (key, mask) => {
        const hint = hintOf(key);
        expect(hintEnds(hint)).not.toBeNull();
        expect(canonicalHint(hint)).toBe(hint);
        expect(canonicalHint(` ${hint.replace('...', mask)}\n`)).toBe(hint);
      }),
    );
  });

  test('a console that shows more of a known key gives the same hint as the key', () => {
    const key = `sk-ant-api03-R2D${'x'.repeat(60)}igAA`;
    expect(canonicalHint(`${key.slice(0, 20)}...${key.slice(-6)}`)).toBe(hintOf(key));
  });

  test('one spelling stays one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab.…* -_sk') }), (text) => {
        const hint = canonicalHint(text);
        expect(canonicalHint(hint)).toBe(hint);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a text with a masked key in it is no masked key and is not cut', () => {
    expect(canonicalHint('key of the payments team (sk-ant-...C001)')).toBe(
      'key of the payments team (sk-ant-...C001)',
    );
  });
});
