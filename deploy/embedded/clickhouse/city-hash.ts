/**
 * CityHash128 of release 1.0.2, the checksum in front of each of ClickHouse's compressed blocks. Later releases of CityHash give
 * other values; ClickHouse stays with this one, so that old files can be read. Numbers are 64 bits wide and wrap around.
 */

const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;
const K3 = 0xc949d7c7509e6557n;
const PAIR_FACTOR = 0x9ddfea08eb382d69n;

/** Bytes that the main loop takes at once; shorter texts go another way. */
const STRETCH_BYTES = 128;

type Pair = [low: bigint, high: bigint];

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const times = (value: bigint, factor: bigint): bigint => BigInt.asUintN(64, value * factor);
const rotateRight = (value: bigint, by: bigint): bigint => wrap((value >> by) | (value << (64n - by)));
const fold = (value: bigint): bigint => value ^ (value >> 47n);
const at = (bytes: Buffer, offset: number): bigint => bytes.readBigUInt64LE(offset);

/** One number of two. */
function ofPair(low: bigint, high: bigint): bigint {
  const first = fold(times(low ^ high, PAIR_FACTOR));
  return times(fold(times(high ^ first, PAIR_FACTOR)), PAIR_FACTOR);
}

/** A fast mix of 32 bytes with two numbers. */
function mix32(bytes: Buffer, offset: number, first: bigint, second: bigint): Pair {
  const start = wrap(first + at(bytes, offset));
  const last = at(bytes, offset + 24);
  const turned = rotateRight(wrap(second + start + last), 21n);
  const sum = wrap(start + at(bytes, offset + 8) + at(bytes, offset + 16));
  return [wrap(sum + last), wrap(turned + rotateRight(sum, 44n) + start)];
}

/** Up to 16 bytes as one number. */
function ofFew(bytes: Buffer): bigint {
  const { length } = bytes;
  if (length > 8) {
    const last = at(bytes, length - 8);
    return ofPair(at(bytes, 0), rotateRight(wrap(last + BigInt(length)), BigInt(length))) ^ last;
  }
  if (length >= 4) {
    return ofPair(BigInt(length) + (BigInt(bytes.readUInt32LE(0)) << 3n), BigInt(bytes.readUInt32LE(length - 4)));
  }
  if (length === 0) return K2;
  const head = BigInt(bytes[0]! + (bytes[length >> 1]! << 8));
  const tail = BigInt(length + (bytes[length - 1]! << 2));
  return times(fold(times(head, K2) ^ times(tail, K3)), K2);
}

/** Texts of less than {@link STRETCH_BYTES}. */
function ofShort(bytes: Buffer, [low, high]: Pair): Pair {
  const { length } = bytes;
  let a = low;
  let b = high;
  let c: bigint;
  let d: bigint;
  if (length <= 16) {
    a = times(fold(times(a, K1)), K1);
    c = wrap(times(b, K1) + ofFew(bytes));
    d = fold(wrap(a + (length >= 8 ? at(bytes, 0) : c)));
  } else {
    c = ofPair(wrap(at(bytes, length - 8) + K1), a);
    d = ofPair(wrap(b + BigInt(length)), wrap(c + at(bytes, length - 16)));
    a = wrap(a + d);
    for (let offset = 0; offset < length - 16; offset += 16) {
      a = times(a ^ times(fold(times(at(bytes, offset), K1)), K1), K1);
      b ^= a;
      c = times(c ^ times(fold(times(at(bytes, offset + 8), K1)), K1), K1);
      d ^= c;
    }
  }
  a = ofPair(a, c);
  b = ofPair(d, b);
  return [a ^ b, ofPair(b, a)];
}

function ofLong(bytes: Buffer, [low, high]: Pair): Pair {
  const { length } = bytes;
  let x = low;
  let y = high;
  let z = times(BigInt(length), K1);
  const v0 = wrap(times(rotateRight(y ^ K1, 49n), K1) + at(bytes, 0));
  let v: Pair = [v0, wrap(times(rotateRight(v0, 42n), K1) + at(bytes, 8))];
  let w: Pair = [
    wrap(times(rotateRight(wrap(y + z), 35n), K1) + x),
    times(rotateRight(wrap(x + at(bytes, 88)), 53n), K1),
  ];
  const stretchesEnd = length - (length % STRETCH_BYTES);
  for (let offset = 0; offset < stretchesEnd; offset += 64) {
    x = times(rotateRight(wrap(x + y + v[0] + at(bytes, offset + 16)), 37n), K1) ^ w[1];
    y = times(rotateRight(wrap(y + v[1] + at(bytes, offset + 48)), 42n), K1) ^ v[0];
    const turned = rotateRight(z ^ w[0], 33n);
    v = mix32(bytes, offset, times(v[1], K1), wrap(x + w[0]));
    w = mix32(bytes, offset + 32, wrap(turned + w[1]), y);
    z = x;
    x = turned;
  }
  y = wrap(y + times(rotateRight(w[0], 37n), K0) + z);
  x = wrap(x + times(rotateRight(wrap(v[0] + z), 49n), K0));
  // What is left is taken from the end, 32 bytes at a time; the last of them reach back into what was taken before.
  for (let left = length - stretchesEnd, end = length; left > 0; left -= 32, end -= 32) {
    y = wrap(times(rotateRight(wrap(y - x), 42n), K0) + v[1]);
    w = [wrap(w[0] + at(bytes, end - 16)), w[1]];
    x = wrap(times(rotateRight(x, 49n), K0) + w[0]);
    w = [wrap(w[0] + v[0]), w[1]];
    v = mix32(bytes, end - 32, v[0], v[1]);
  }
  x = ofPair(x, v[0]);
  y = ofPair(y, w[0]);
  return [wrap(ofPair(wrap(x + v[1]), w[1]) + y), ofPair(wrap(x + w[1]), wrap(y + v[1]))];
}

/**
 * CityHash128 (1.0.2) of some bytes, as the 16 bytes that ClickHouse writes: both halves with the lowest byte first.
 */
export function cityHash128(bytes: Buffer): Buffer {
  const { length } = bytes;
  let seed: Pair = [K0, K1];
  let rest = bytes;
  if (length >= 16) {
    seed = [at(bytes, 0) ^ K3, at(bytes, 8)];
    rest = bytes.subarray(16);
  } else if (length >= 8) {
    seed = [at(bytes, 0) ^ times(BigInt(length), K0), at(bytes, length - 8) ^ K1];
    rest = bytes.subarray(length);
  }
  const [low, high] = rest.length < STRETCH_BYTES ? ofShort(rest, seed) : ofLong(rest, seed);
  const hash = Buffer.alloc(16);
  hash.writeBigUInt64LE(low, 0);
  hash.writeBigUInt64LE(high, 8);
  return hash;
}
