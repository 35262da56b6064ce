import { TIME_MAX_MS, TIME_MIN_MS } from '@lanewatch/ingest/contract';
import { z } from 'zod';

/** An instant inside a cursor, epoch milliseconds: what the stores can hold, so that a forged one is refused here. */
export const cursorInstant = z.number().int().min(TIME_MIN_MS).max(TIME_MAX_MS);

/** The cursor of a request is none that this list gave out. */
export class CursorError extends Error {
  constructor() {
    super('is not a cursor of this list; leave it out to start at the first page');
    this.name = 'CursorError';
  }
}

/** Writes a list position as an opaque, URL-safe text. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position), 'utf8').toString('base64url');
}

/**
 * Reads a cursor back and checks it against the list's own shape.
 * @throws {CursorError} for anything that {@link encodeCursor} did not make for this list
 */
export function decodeCursor<Shape extends z.ZodType>(cursor: string, shape: Shape): z.infer<Shape> {
  let position: unknown;
  try {
    position = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new CursorError();
  }
  const parsed = shape.safeParse(position);
  if (!parsed.success) throw new CursorError();
  return parsed.data;
}
