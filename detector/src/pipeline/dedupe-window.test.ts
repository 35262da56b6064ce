import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDedupeWindow } from './dedupe-window.ts';

/** What the window must equal: a plain ordered map, forgetting the oldest. */
function reference(idsMax: number) {
  const seen = new Map<string, true>();
  return (low: number, high: number): boolean => {
    const key = `${low}:${high}`;
    if (seen.has(key)) return false;
    if (seen.size === idsMax) seen.delete(seen.keys().next().value!);
    seen.set(key, true);
    return true;
  };
}

describe('the dedupe window', () => {
  test('answers as an ordered set of the last ids would, through growth, deletion and clustering', () => {
    // Few distinct values on few home slots make long probe runs, the case that deletion can get wrong.
    const hash = fc.record({ low: fc.integer({ min: 0, max: 40 }), high: fc.constantFrom(0, 1, 128, 0xffffffff) });
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (hashes, idsMax) => {
        const window = createDedupeWindow({ windowMs: 1e9, idsMax });
        const expected = reference(idsMax);
        // 0:0 and 0:1 share a representation, so the reference must not tell them apart either.
        for (const { low, high } of hashes) {
          const canonicalHigh = low === 0 && high === 0 ? 1 : high;
          expect(window.add(low, high, 1000)).toBe(expected(low, canonicalHigh));
        }
        expect(window.size).toBeLessThanOrEqual(idsMax);
      }),
    );
  });

  test('holds every id of a large window and no other', () => {
    const window = createDedupeWindow({ windowMs: 1e9, idsMax: 100_000 });
    let added = 0;
    const addAll = () => {
      for (let id = 1; id <= 100_000; id++) if (window.add(Math.imul(id, 0x9e3779b1) >>> 0, id, 0)) added++;
    };
    addAll();
    expect(added).toBe(100_000);
    addAll();
    expect(added).toBe(100_000);
    expect(window.size).toBe(100_000);
  });

  test('forgets an id once it is older than the window', () => {
    const window = createDedupeWindow({ windowMs: 600_000, idsMax: 10 });
    expect(window.add(1, 1, 0)).toBe(true);
    expect(window.add(1, 1, 600_000)).toBe(false);
    expect(window.add(1, 1, 700_000)).toBe(true);
  });

  test('tells how far back it reaches when the number is the tighter bound', () => {
    const window = createDedupeWindow({ windowMs: 24 * 3_600_000, idsMax: 2 });
    window.add(1, 1, 0);
    expect(window.spanMs(60_000)).toBe(24 * 3_600_000);
    window.add(2, 2, 100_000);
    window.add(3, 3, 200_000);
    window.add(4, 4, 300_000);
    expect(window.spanMs(300_000)).toBe(100_000);
  });

  test('that was restored up to its number reaches back to the oldest id it was given', () => {
    const HOUR_MS = 3_600_000;
    const now = Date.UTC(2026, 10, 20, 12);
    const window = createDedupeWindow({ windowMs: 24 * HOUR_MS, idsMax: 3 });
    for (const [id, hoursAgo] of [3, 2, 1].entries()) window.add(id + 1, id + 1, now - hoursAgo * HOUR_MS);
    expect(window.spanMs(now)).toBe(3 * HOUR_MS);
    // Idle since, it forgets what is too old with the next id only.
    expect(window.spanMs(now + 100 * HOUR_MS)).toBe(24 * HOUR_MS);
  });
});
