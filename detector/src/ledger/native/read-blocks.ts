/*
 * Reads ClickHouse's Native format as revision 0 sends it, the counterpart of block.ts: what many rows have in common is told once a block, so
 * a row costs a fraction of what it costs as JSON, both the engine and this process.
 */

/** Texts of a block: each row's place among the distinct ones. */
export interface TextColumn {
  keys: string[];
  indexes: Uint8Array | Uint16Array | Uint32Array;
}

/** A block of rows, column by column in the order of the query. */
export interface ReadBlock {
  rows: number;
  /** Of String and LowCardinality(String). */
  texts: Map<string, TextColumn>;
  /** Of whole numbers: instants in their own unit, decimals in that of their last place. Beyond 2^53 the nearest that a double holds. */
  numbers: Map<string, Float64Array>;
}

/** The text of a row. */
export function textAt({ keys, indexes }: TextColumn, row: number): string {
  return keys[indexes[row]!]!;
}

const TWO_TO_32 = 4_294_967_296;
const VAR_UINT_BYTES_MAX = 10;
/** In the index word of LowCardinality: the lowest byte is the width of the indexes, as a power of two. */
const WIDTH_MASK = 0xff;

/**
 * The blocks of an answer, as they come. Whoever stops before its end, or can't read it, ends it.
 * @throws Error when the answer ends inside a block, as it does when the engine gives up, or has a column of another type
 */
export async function* readBlocks(answer: AsyncIterable<Uint8Array>): AsyncGenerator<ReadBlock> {
  const chunks = answer[Symbol.asyncIterator]();
  const source = new ByteSource(chunks);
  try {
    while (await source.want(1)) yield await readBlock(source);
  } finally {
    await chunks.return?.();
  }
}

async function readBlock(source: ByteSource): Promise<ReadBlock> {
  const columns = await source.varUint();
  const rows = await source.varUint();
  const block: ReadBlock = { rows, texts: new Map(), numbers: new Map() };
  for (let column = 0; column < columns; column++) {
    const name = await source.text();
    const type = await source.text();
    if (rows === 0) continue;
    if (type === 'String') block.texts.set(name, await readTexts(source, rows));
    else if (type === 'LowCardinality(String)') block.texts.set(name, await readLabels(source, rows));
    else block.numbers.set(name, await readNumbers(source, rows, name, type));
  }
  return block;
}

async function readTexts(source: ByteSource, rows: number): Promise<TextColumn> {
  const keys: string[] = [];
  for (let row = 0; row < rows; row++) keys.push(source.textNow() ?? (await source.text()));
  return { keys, indexes: Uint32Array.from({ length: rows }, (_unused, row) => row) };
}

async function readLabels(source: ByteSource, rows: number): Promise<TextColumn> {
  // Version, index word and the number of keys, each eight bytes.
  const head = await source.take(24);
  const width = head[8]! & WIDTH_MASK;
  const count = head.readUInt32LE(16);
  const keys: string[] = [];
  for (let key = 0; key < count; key++) keys.push(source.textNow() ?? (await source.text()));
  await source.take(8);
  const bytes = await source.take(rows << width);
  // A copy, because its place in memory may be one that wider numbers can't begin at.
  const { buffer } = Uint8Array.from(bytes);
  if (width === 0) return { keys, indexes: new Uint8Array(buffer) };
  return { keys, indexes: width === 1 ? new Uint16Array(buffer) : new Uint32Array(buffer) };
}

async function readNumbers(source: ByteSource, rows: number, name: string, type: string): Promise<Float64Array> {
  const values = new Float64Array(rows);
  const isWide = /^(U?Int64|DateTime64|Decimal\(1[0-8],)/.test(type);
  if (!isWide && type !== 'UInt16') throw new Error(`${name} is ${type}, which is not read here`);
  const bytes = await source.take(rows * (isWide ? 8 : 2));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isSigned = type !== 'UInt64';
  for (let row = 0; row < rows; row++) {
    if (!isWide) values[row] = view.getUint16(row * 2, true);
    else {
      const high = isSigned ? view.getInt32(row * 8 + 4, true) : view.getUint32(row * 8 + 4, true);
      values[row] = high * TWO_TO_32 + view.getUint32(row * 8, true);
    }
  }
  return values;
}

/** Bytes of a stream, as many as are asked for, wherever its chunks end. */
class ByteSource {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.chunks = chunks;
  }

  /** Waits for so many bytes. False when the stream ends before. */
  async want(count: number): Promise<boolean> {
    if (this.bytes.length - this.at >= count) return true;
    const held = [this.bytes.subarray(this.at)];
    let length = held[0]!.length;
    while (length < count) {
      const { value, done } = await this.chunks.next();
      if (done === true) break;
      held.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      length += value.byteLength;
    }
    this.bytes = Buffer.concat(held, length);
    this.at = 0;
    return length >= count;
  }

  async take(count: number): Promise<Buffer> {
    if (!(await this.want(count))) throw this.endsTooSoon();
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  async varUint(): Promise<number> {
    await this.want(VAR_UINT_BYTES_MAX);
    const value = this.varUintNow();
    if (value === undefined) throw this.endsTooSoon();
    return value;
  }

  async text(): Promise<string> {
    const length = await this.varUint();
    return (await this.take(length)).toString('utf8');
  }

  /** The next text if all of it is here, so that most cost no waiting. */
  textNow(): string | undefined {
    const begin = this.at;
    const length = this.varUintNow();
    if (length !== undefined && this.at + length <= this.bytes.length) {
      this.at += length;
      return this.bytes.toString('utf8', this.at - length, this.at);
    }
    this.at = begin;
    return undefined;
  }

  private varUintNow(): number | undefined {
    let value = 0;
    let unit = 1;
    for (let at = this.at; at < this.bytes.length; at++, unit *= 0x80) {
      const byte = this.bytes[at]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        this.at = at + 1;
        return value;
      }
    }
    return undefined;
  }

  private endsTooSoon(): Error {
    return new Error(`the answer ends inside a block: ${this.bytes.subarray(this.at).toString('utf8').slice(-500)}`);
  }
}
