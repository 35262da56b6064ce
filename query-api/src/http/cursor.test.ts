import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { cursorInstant, CursorError, decodeCursor, encodeCursor } from './cursor.ts';

const shape = z.tuple([cursorInstant, z.string()]);

test('a cursor leads back to its position and fits into a URL as it is', () => {
  fc.assert(
    fc.property(fc.nat(), fc.string(), (at, text) => {
      const cursor = encodeCursor([at, text]);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(decodeCursor(cursor, shape)).toEqual([at, text]);
    }),
  );
});

test('any other text is refused as no cursor, and never with another error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => decodeCursor(text, shape)).toThrow(CursorError);
    }),
  );
});

test('a position of another list is refused', () => {
  expect(() => decodeCursor(encodeCursor([1]), shape)).toThrow(CursorError);
  expect(() => decodeCursor(encodeCursor([-1, 'x']), shape)).toThrow(CursorError);
  expect(() => decodeCursor(encodeCursor(['1', 'x']), shape)).toThrow(CursorError);
});
