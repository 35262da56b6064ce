import { describe, expect, it } from 'vitest';
import { durationWords, wordsOf } from './words.ts';

describe('facts and parameters', () => {
  it.each([
    ['session_active_ms', 1_800_000, 'session active', '30 minutes'],
    ['window_ms', 86_400_000, 'window', '1 day'],
    ['spend_usd', '0.61', 'spend', '$0.61'],
    ['spend_usd', 5, 'spend', '$5.00'],
    ['people_over_declared', 1, 'people over declared', '1'],
    ['session_active', true, 'session active', 'yes'],
    ['ip', '', 'address', ''],
  ])('%s %s is said as %s: %s', (name, value, said, text) => {
    expect(wordsOf(name, value)).toMatchObject({ name: said, values: [{ text }] });
  });

  it('say which values have a page of their own', () => {
    expect(wordsOf('people', ['ada', 'bob']).values).toEqual([
      { text: 'ada', kind: 'user' },
      { text: 'bob', kind: 'user' },
    ]);
  });

  it('keep a length of time exact', () => {
    expect([90_000, 5_400_000, 1, 0].map(durationWords)).toEqual(
      ['90 seconds', '90 minutes', '1 millisecond', '0 seconds'], // prettier-ignore
    );
  });
});
