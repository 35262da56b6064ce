import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');

/** Every colour token with its value in both themes. */
const COLOURS = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map(([, name, light, dark]) => [
    name!,
    { light: light!, dark: dark! },
  ]),
);

function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

/** Contrast of two tokens as WCAG 2 defines it. */
function contrast(a: string, b: string, theme: 'light' | 'dark'): number {
  const [one, other] = [luminance(COLOURS.get(a)![theme]), luminance(COLOURS.get(b)![theme])];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

const GROUNDS = ['ground', 'surface', 'sunken', 'accent-ground', 'neutral-ground'];
const TEXTS = ['ink', 'ink-quiet', 'accent'].flatMap((text) => GROUNDS.map((ground) => [text, ground] as const));
const STATES = ['good', 'warn', 'bad'].flatMap((state) =>
  ['ground', 'surface', 'sunken', `${state}-ground`].map((ground) => [state, ground] as const),
);

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  it.each([...TEXTS, ...STATES, ['ink', 'bad-ground'], ['ink', 'warn-ground'], ['accent-ink', 'accent']] as const)(
    'text in %s on %s has a contrast of at least 4.5',
    (text, ground) => {
      expect(contrast(text, ground, theme)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(['ground', 'surface'])('borders of controls stand out from %s by at least 3', (ground) => {
    expect(contrast('line-strong', ground, theme)).toBeGreaterThanOrEqual(3);
  });
});
