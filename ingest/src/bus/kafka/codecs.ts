/** Compression codecs that kafkajs lacks, so that batches of other producers can be read. */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import lz4 from 'lz4js';

/** What kafkajs hands to a codec when it compresses. */
interface Encoder {
  buffer: Buffer;
}

interface Codec {
  compress(encoder: Encoder): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** Brokers take record batches of at most some MiB; more than this after unpacking is an attack, not data. */
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024;

const zstdCompress = promisify(zlib.zstdCompress);
const zstdDecompress = promisify(zlib.zstdDecompress);

export const zstdCodec = (): Codec => ({
  compress: ({ buffer }) => zstdCompress(buffer),
  decompress: (buffer) => zstdDecompress(buffer, { maxOutputLength: UNPACKED_BYTES_MAX }),
});

export const lz4Codec = (): Codec => ({
  compress: ({ buffer }) => Promise.resolve(compressLz4Frame(buffer)),

  decompress: async (buffer) => decompressLz4Frame(buffer),
});

/** Magic number, independent blocks of at most 64 KiB without checksums, and the checksum of these two settings. */
const LZ4_HEADER = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
const LZ4_BLOCK_BYTES = 1 << 16;

/** An LZ4 frame that brokers take: unlike the one lz4js writes, its blocks do not depend on each other. */
function compressLz4Frame(source: Buffer): Buffer {
  const parts: Buffer[] = [LZ4_HEADER];
  for (let at = 0; at < source.length; at += LZ4_BLOCK_BYTES) {
    const block = source.subarray(at, at + LZ4_BLOCK_BYTES);
    const packed = Buffer.alloc(lz4.compressBound(block.length));
    const size = lz4.compressBlock(block, packed, 0, block.length, new Uint32Array(LZ4_BLOCK_BYTES));
    const stored = size === 0 || size >= block.length;
    const word = Buffer.alloc(4);
    word.writeUInt32LE(stored ? (0x80000000 | block.length) >>> 0 : size);
    parts.push(word, stored ? block : packed.subarray(0, size));
  }
  parts.push(Buffer.alloc(4));
  return Buffer.concat(parts);
}

const LZ4_MAGIC = 0x184d2204;
const BLOCK_BYTES_BY_ID: Record<number, number> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 };

/**
 * Unpacks LZ4 frames as Kafka clients write them. lz4js can do so too but reads block checksums at the wrong place and
 * believes every length it is told; here a broken frame is an error and nothing is written out of bounds.
 */
export function decompressLz4Frame(source: Buffer): Buffer {
  const blocks: Buffer[] = [];
  let unpackedBytes = 0;
  let at = 0;
  while (at < source.length) {
    if (source.length - at < 7 || source.readUInt32LE(at) !== LZ4_MAGIC)
      throw new Error('LZ4 frame: magic number is missing');
    const flags = source[at + 4]!;
    const blockBytesMax = BLOCK_BYTES_BY_ID[(source[at + 5]! >> 4) & 7];
    if (flags >> 6 !== 1 || blockBytesMax === undefined) throw new Error('LZ4 frame: unknown version or block size');
    const independent = (flags & 0x20) !== 0;
    const blockChecksumBytes = flags & 0x10 ? 4 : 0;
    at += 6 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1;
    // Blocks that depend on each other may point back 64 KiB into the ones before.
    let window: Buffer = Buffer.alloc(0);
    for (;;) {
      if (at + 4 > source.length) throw new Error('LZ4 frame: cut off');
      const word = source.readUInt32LE(at);
      at += 4;
      if (word === 0) break;
      const size = word & 0x7fffffff;
      if (at + size > source.length) throw new Error('LZ4 frame: a block is cut off');
      const packed = source.subarray(at, at + size);
      at += size + blockChecksumBytes;
      const block = word >>> 31 ? packed : decompressLz4Block(packed, window, blockBytesMax);
      unpackedBytes += block.length;
      if (unpackedBytes > UNPACKED_BYTES_MAX) throw new Error('LZ4 frame: larger than any record batch');
      blocks.push(block);
      if (!independent) window = Buffer.concat([window, block]).subarray(-0x10000);
    }
    if (flags & 0x04) at += 4;
  }
  return Buffer.concat(blocks, unpackedBytes);
}

function decompressLz4Block(packed: Buffer, window: Buffer, blockBytesMax: number): Buffer {
  const start = window.length;
  const out = Buffer.allocUnsafe(start + blockBytesMax);
  window.copy(out);
  let from = 0;
  let to = start;
  const longLength = (length: number): number => {
    if (length !== 15) return length;
    let byte: number;
    do {
      if (from >= packed.length) throw new Error('LZ4 block: cut off');
      byte = packed[from++]!;
      length += byte;
    } while (byte === 255);
    return length;
  };
  while (from < packed.length) {
    const token = packed[from++]!;
    const literals = longLength(token >> 4);
    if (from + literals > packed.length || to + literals > out.length)
      throw new Error('LZ4 block: literals out of bounds');
    packed.copy(out, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === packed.length) break;
    if (from + 2 > packed.length) throw new Error('LZ4 block: cut off');
    const distance = packed[from]! | (packed[from + 1]! << 8);
    from += 2;
    const matched = longLength(token & 15) + 4;
    if (distance === 0 || distance > to || to + matched > out.length) throw new Error('LZ4 block: match out of bounds');
    if (distance >= matched) out.copyWithin(to, to - distance, to - distance + matched);
    // An overlapping match repeats what it has just written, so it has to go byte by byte.
    else for (let index = 0; index < matched; index++) out[to + index] = out[to + index - distance]!;
    to += matched;
  }
  return out.subarray(start, to);
}
