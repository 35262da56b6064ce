/** Strings up to this many UTF-16 units are written by a loop in JavaScript; longer ones are worth a call into native code. */
const LOOP_LENGTH_MAX = 96;
/** A UTF-16 unit becomes three UTF-8 bytes at most, and a length prefix takes ten. */
const UTF8_BYTES_PER_UNIT_MAX = 3;
const VAR_UINT_BYTES_MAX = 10;
const TWO_TO_32 = 4_294_967_296;

/**
 * A growing byte buffer with the primitives of ClickHouse's binary formats. It is made once and used for block after block:
 * {@link start} forgets the content and keeps the memory.
 *
 * Numbers are little-endian. 64-bit values are written as two 32-bit halves, because BigInt costs an allocation each.
 */
export class ByteBuffer {
  /** The memory; only the first {@link length} bytes mean something. Replaced when it grows. */
  bytes: Buffer;
  view: DataView;
  length = 0;

  constructor(initialBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.view = viewOf(this.bytes);
  }

  /** Forgets the content, keeps the memory. */
  start(): void {
    this.length = 0;
  }

  /** The content. It shares the buffer's memory, so it holds only until the next {@link start}. */
  content(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for this many bytes behind the content. */
  reserve(byteCount: number): void {
    const needed = this.length + byteCount;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.view = viewOf(grown);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** LEB128, as ClickHouse writes lengths and counts. */
  writeVarUint(value: number): void {
    this.reserve(VAR_UINT_BYTES_MAX);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** An integer from 0 to 2^53 - 1. */
  writeUint64(value: number): void {
    this.writeUint64Halves(value >>> 0, (value / TWO_TO_32) >>> 0);
  }

  writeUint64Halves(low: number, high: number): void {
    this.reserve(8);
    this.view.setUint32(this.length, low, true);
    this.view.setUint32(this.length + 4, high, true);
    this.length += 8;
  }

  /** Length prefix and UTF-8 bytes. A lone surrogate becomes U+FFFD, as everywhere in Node. */
  writeString(text: string): void {
    const units = text.length;
    this.reserve(units * UTF8_BYTES_PER_UNIT_MAX + VAR_UINT_BYTES_MAX);
    if (units <= LOOP_LENGTH_MAX && this.writeShortAscii(text, units)) return;
    this.writeUtf8(text, units);
  }

  /** Whether the text was plain ASCII and is written; when it was not, nothing has happened. */
  private writeShortAscii(text: string, units: number): boolean {
    const bytes = this.bytes;
    let position = this.length;
    // Below 128 the length prefix is this one byte.
    bytes[position++] = units;
    for (let unit = 0; unit < units; unit++) {
      const code = text.charCodeAt(unit);
      if (code >= 0x80) return false;
      bytes[position++] = code;
    }
    this.length = position;
    return true;
  }

  /** Writes the text where it lands if it is ASCII, which it nearly always is, and moves it when its prefix turns out longer. */
  private writeUtf8(text: string, units: number): void {
    const start = this.length;
    const guessedPrefixBytes = varUintBytes(units);
    const byteCount = this.bytes.write(text, start + guessedPrefixBytes, 'utf8');
    const prefixBytes = varUintBytes(byteCount);
    if (prefixBytes !== guessedPrefixBytes) {
      this.bytes.copyWithin(start + prefixBytes, start + guessedPrefixBytes, start + guessedPrefixBytes + byteCount);
    }
    this.writeVarUint(byteCount);
    this.length += byteCount;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function varUintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++;
  return count;
}
