import { cityHash128 } from '../city-hash.ts';

const CHECKSUM_BYTES = 16;
const HEADER_BYTES = 9;

/**
 * Reads ClickHouse's compressed blocks as a client does: checks each checksum and undoes LZ4, matches included.
 * Throws an error that says what is wrong with which block.
 */
export function readBlocks(blocks: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start < blocks.length;) {
    const header = start + CHECKSUM_BYTES;
    const end = header + blocks.readUInt32LE(header + 1);
    const checked = blocks.subarray(header, end);
    if (!cityHash128(checked).equals(blocks.subarray(start, header)))
      throw new Error(`the checksum at ${start} is wrong`);
    if (blocks[header] !== 0x82) throw new Error(`the method at ${header} is not LZ4`);
    const part = unpackLz4(checked.subarray(HEADER_BYTES));
    const size = blocks.readUInt32LE(header + 5);
    if (part.length !== size) throw new Error(`the block at ${start} holds ${part.length} bytes and says ${size}`);
    parts.push(part);
    start = end;
  }
  return Buffer.concat(parts);
}

function unpackLz4(block: Buffer): Buffer {
  const bytes: number[] = [];
  let at = 0;
  const length = (nibble: number): number => {
    if (nibble < 15) return nibble;
    let total = nibble;
    let more: number;
    do total += more = block[at++]!;
    while (more === 255);
    return total;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = length(token >> 4);
    for (const byte of block.subarray(at, at + literals)) bytes.push(byte);
    at += literals;
    if (at >= block.length) break;
    const distance = block.readUInt16LE(at);
    at += 2;
    const copied = 4 + length(token & 15);
    for (let index = 0; index < copied; index++) bytes.push(bytes[bytes.length - distance]!);
  }
  return Buffer.from(bytes);
}
