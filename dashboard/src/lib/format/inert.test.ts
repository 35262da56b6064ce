import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inertText, shortened } from './inert.ts';

describe('inertText', () => {
  it.each([
    ['plain text, ümlauts, 日本語 and 👩 stay', 'plain text, ümlauts, 日本語 and 👩 stay'],
    ['line\nbreak\ttab', 'line␊break␉tab'],
    ['nul\u0000', 'nul␀'],
    ['del\u007f', 'del␡'],
    ['txt\u202egnp.exe', 'txt⟨U+202E⟩gnp.exe'],
    ['zero\u200bwidth', 'zero⟨U+200B⟩width'],
    ['\u2066isolate\u2069', '⟨U+2066⟩isolate⟨U+2069⟩'],
    ['\ufefftag \u{e0041}', '⟨U+FEFF⟩tag ⟨U+E0041⟩'],
    ['lone \ud83d surrogate', 'lone \ufffd surrogate'],
  ])('makes what would hide or reorder visible: %j', (text, shown) => {
    expect(inertText(text)).toBe(shown);
  });

  it('leaves no control, bidirectional or lone character of any text, and is done after one pass', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inert = inertText(text);
        expect(inert).not.toMatch(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u);
        expect(inert.isWellFormed()).toBe(true);
        expect(inertText(inert)).toBe(inert);
      }),
    );
  });
});

describe('shortened', () => {
  it('keeps what fits and marks what was cut', () => {
    expect(shortened('12345', 5)).toBe('12345');
    expect(shortened('123456', 5)).toBe('1234…');
  });

  it('never splits a pair of surrogates', () => {
    expect(shortened('👩👩👩', 3)).toBe('👩👩👩');
    expect(shortened('👩👩👩👩', 3)).toBe('👩👩…');
  });
});
