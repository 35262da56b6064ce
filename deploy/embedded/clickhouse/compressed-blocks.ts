import { Transform } from 'node:stream';
import { cityHash128 } from './city-hash.ts';

/** Bytes of the answer in one block at most. The checksum is computed between other work, so a block may not take long. */
const BLOCK_BYTES_MAX = 64 * 1024;
/** Method, size of the block with this header, size of what it holds. */
const HEADER_BYTES = 9;
const CHECKSUM_BYTES = 16;
const METHOD_LZ4 = 0x82;

/**
 * ClickHouse's own block compression, which clients ask for with `compress=1`: checksum, header and an LZ4 block for each stretch of
 * the answer. The LZ4 blocks hold their bytes as they are (one run of literals, which any decoder takes): the endpoint is on
 * loopback, where compressing costs more than it saves.
 */
export function createBlockWriter(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (const block of compressedBlocks(chunk)) this.push(block);
      done();
    },
  });
}

/** The same for a whole answer; of an empty one nothing. */
export function compressedBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES_MAX) {
    blocks.push(blockOf(bytes.subarray(start, start + BLOCK_BYTES_MAX)));
  }
  return blocks;
}

function blockOf(bytes: Buffer): Buffer {
  const literals = literalsLength(bytes.length);
  const block = Buffer.allocUnsafe(CHECKSUM_BYTES + HEADER_BYTES + literals.length + bytes.length);
  block[CHECKSUM_BYTES] = METHOD_LZ4;
  block.writeUInt32LE(block.length - CHECKSUM_BYTES, CHECKSUM_BYTES + 1);
  block.writeUInt32LE(bytes.length, CHECKSUM_BYTES + 5);
  literals.copy(block, CHECKSUM_BYTES + HEADER_BYTES);
  bytes.copy(block, CHECKSUM_BYTES + HEADER_BYTES + literals.length);
  cityHash128(block.subarray(CHECKSUM_BYTES)).copy(block);
  return block;
}

/** How an LZ4 block says that so many literals follow: four bits of the token, then bytes that add up to the rest. */
function literalsLength(length: number): Buffer {
  const inToken = 15;
  if (length < inToken) return Buffer.from([length << 4]);
  const rest = length - inToken;
  const full = Math.floor(rest / 255);
  return Buffer.from([inToken << 4, ...Array<number>(full).fill(255), rest % 255]);
}
