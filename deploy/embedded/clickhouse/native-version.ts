import { Readable } from 'node:stream';
import { raise } from './errors.ts';
import { Cursor, SHORT, skipColumn } from './native-types.ts';

/**
 * The version of ClickHouse's protocol from which on a block of the Native format begins with facts about itself, and a column says how it
 * is written. Clients of Go read nothing older; the engine writes its format as it was before there were versions.
 */
const NATIVE_VERSION_FROM = 54_454;
/** It is no overflow of an aggregation, and of no bucket of one. */
const BLOCK_FACTS = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);
const USUAL_FORM = Buffer.from([0]);

/** An answer as a client of a version of the protocol reads it; 0 stands for none. */
export const readableIn = (version: number, format: string, answer: Readable): Readable =>
  format === 'Native' && version >= NATIVE_VERSION_FROM ? Readable.from(inVersion(answer)) : answer;

/** The same blocks as a client of {@link NATIVE_VERSION_FROM} or later reads them, each as soon as it is whole. */
export async function* inVersion(source: Readable): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  // What was looked at in vain is looked at again when it has doubled, so that a large block costs little.
  let wanted = 1;
  // Kept open when this fails: the engine waits for somebody who reads on.
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    held.push(chunk);
    size += chunk.length;
    if (size < wanted) continue;
    const rest = yield* wholeBlocks(Buffer.concat(held));
    wanted = rest.length === size ? 2 * size : 1;
    held = [rest];
    size = rest.length;
  }
  const rest = yield* wholeBlocks(Buffer.concat(held));
  if (rest.length > 0) throw raise('CANNOT_READ_ALL_DATA', 'The engine ended within a block of the Native format.');
}

/** @returns what is left of the bytes behind the last whole block */
function* wholeBlocks(bytes: Buffer): Generator<Buffer, Buffer> {
  let at = 0;
  while (at < bytes.length) {
    const cursor = new Cursor(bytes, at);
    try {
      const parts = partsOf(cursor);
      yield* parts;
    } catch (error) {
      if (error !== SHORT) throw error;
      break;
    }
    at = cursor.at;
  }
  return bytes.subarray(at);
}

/** A block as it stands, with what a version adds between. */
function partsOf(cursor: Cursor): Buffer[] {
  const parts: Buffer[] = [BLOCK_FACTS];
  let begun = cursor.at;
  const columns = cursor.varint();
  const rows = cursor.varint();
  for (let column = 0; column < columns; column++) {
    cursor.text();
    const type = cursor.text();
    parts.push(cursor.bytes.subarray(begun, cursor.at), USUAL_FORM);
    begun = cursor.at;
    skipColumn(cursor, type, rows);
  }
  parts.push(cursor.bytes.subarray(begun, cursor.at));
  return parts;
}
