import { createServer, request as forward, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { LEDGER_COLUMNS, type LedgerRow } from '../../contract/index.ts';
import { FencedError, LedgerUnavailableError } from './ledger.ts';
import { createOwnership } from './ownership.ts';
import {
  insertRows,
  ledgerRow,
  ledgerRows,
  openTestLedger,
  startTestEngine,
  STORED_AT,
  type TestEngine,
  type TestLedger,
} from './testing.ts';

const PARTITIONS = [0, 1, 2];

describe('insert', () => {
  let engine: TestEngine;
  let test: TestLedger;

  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine.stop());
  beforeEach(async () => {
    test = await openTestLedger(engine);
    await test.ledger.claim(PARTITIONS, 'first');
  });
  afterEach(() => test.close());

  const count = async () => (await test.rows<[number]>('SELECT count() FROM {database}.ledger'))[0]?.[0];
  const parts = () =>
    test.rows<[number]>(
      `SELECT rows FROM system.parts WHERE database = '{database}' AND table = 'ledger' AND active ORDER BY name`,
    );

  it('stores every column as it was given', async () => {
    const row: LedgerRow = ledgerRow({
      id: 'id with \'quotes" and \u{1F600}',
      flags: ['redacted', 'time_future'],
      findings: ['R01-0123456789abcdef01234567'],
      tokens_output: Number.MAX_SAFE_INTEGER,
      cost_nano_usd: 8_999_999_999_999_999,
      event_hash_low: 0xffff_fffe,
      event_hash_high: 0x8000_0001,
      kafka_partition: 2,
      kafka_offset: 2 ** 40,
      record_index: 63,
    });
    await insertRows(test.ledger, [row]);
    const columns = LEDGER_COLUMNS.map(({ name, type }) => {
      if (type.startsWith('DateTime64')) return `toUnixTimestamp64Milli(\`${name}\`)`;
      if (type.startsWith('Decimal')) return `toInt64(toDecimal128(\`${name}\`, 9) * 1000000000)`;
      return name === 'event_hash' ? `toString(\`${name}\`)` : `\`${name}\``;
    });
    const [stored] = await test.rows<unknown[]>(`SELECT ${columns.join(', ')} FROM {database}.ledger`);
    const expected = LEDGER_COLUMNS.map(({ name }) => {
      if (name === 'cost_usd') return row.cost_nano_usd;
      if (name === 'event_hash') return String((BigInt(row.event_hash_high) << 32n) + BigInt(row.event_hash_low));
      return row[name];
    });
    expect(stored).toEqual(expected);
  });

  it('makes one part of a batch, up to the largest batch a detector may be told to write', async () => {
    await test.client.command({ query: `SYSTEM STOP MERGES ${test.database}.ledger` });
    await insertRows(test.ledger, ledgerRows(20_000, 0));
    await insertRows(test.ledger, ledgerRows(200_000, 20_000));
    expect((await parts()).flat().sort((a, b) => a - b)).toEqual([20_000, 200_000]);
  });

  it('takes no batch for the repeat of another, however alike they are', async () => {
    await insertRows(test.ledger, ledgerRows(10, 0));
    await insertRows(test.ledger, ledgerRows(10, 0));
    expect(await count()).toBe(20);
    const rollUp = await test.rows<[number]>(
      "SELECT sumMerge(`sum(calls)`) FROM mergeTreeProjection('{database}', 'ledger', 'calls_by_day_and_lane')",
    );
    expect(rollUp).toEqual([[20]]);
  });

  it('stores nothing of a batch when another detector holds one of its partitions', async () => {
    await (await test.another()).claim([1], 'second');
    const rows = [0, 1, 2].flatMap((kafka_partition) => ledgerRows(100, 0, { kafka_partition }));
    await expect(insertRows(test.ledger, rows)).rejects.toBeInstanceOf(FencedError);
    expect(await count()).toBe(0);
    // What is still ours goes through.
    await insertRows(test.ledger, ledgerRows(100, 0, { kafka_partition: 2 }));
    expect(await count()).toBe(100);
  });

  it('refuses a row of a partition that nobody has claimed', async () => {
    await expect(insertRows(test.ledger, [ledgerRow({ kafka_partition: 9 })])).rejects.toBeInstanceOf(FencedError);
  });

  it('refuses what could not be one part before anything is sent', async () => {
    await expect(insertRows(test.ledger, Array(200_001).fill(ledgerRow()) as LedgerRow[])).rejects.toThrow(
      'at most 200000',
    );
    expect(await count()).toBe(0);
  });

  it('has the memory of a block again once it is stored, or was empty', async () => {
    const block = test.ledger.newBlock();
    block.seal(STORED_AT);
    await test.ledger.insert(block, 'first');
    expect(test.ledger.newBlock()).toBe(block);
    block.add(ledgerRow());
    block.seal(STORED_AT);
    await test.ledger.insert(block, 'first');
    expect(test.ledger.newBlock()).toBe(block);
    expect(await count()).toBe(1);
  });

  it('keeps batches apart that are written at the same time', async () => {
    await Promise.all(
      [0, 1, 2].map(async (kafka_partition) => {
        for (let batch = 0; batch < 5; batch++)
          await insertRows(test.ledger, ledgerRows(300, batch * 300, { kafka_partition }));
      }),
    );
    const distinct = await test.rows<[number, number]>(
      'SELECT count(), uniqExact(kafka_partition, kafka_offset, record_index) FROM {database}.ledger',
    );
    expect(distinct).toEqual([[4500, 4500]]);
  });

  describe('when the connection fails', () => {
    it('stores a batch once although answers to its inserts are lost, and refuses the attempt that comes after', async () => {
      const proxy = await startProxy(engine.url, { onLedgerInsert: 'drop the answer', times: 1 });
      const detector = await test.another({ url: proxy.url });
      const own = createOwnership(detector, PARTITIONS, 'detector');
      const { signal } = new AbortController();
      await own.claim(signal);
      const store = (firstOffset: number) => {
        const rows = ledgerRows(1000, firstOffset);
        return own.write(new Map([[0, firstOffset + 1000]]), signal, async (claimant) => {
          attempts.push(claimant);
          await insertRows(
            detector,
            rows.map((row) => ({ ...row, claimant })),
          );
        });
      };
      const attempts: string[] = [];
      await expect(store(0)).rejects.toBeInstanceOf(LedgerUnavailableError);
      // It did arrive: this is the loss that matters. The next attempt finds it there and sends nothing.
      expect(await count()).toBe(1000);
      await store(0);
      expect([await count(), attempts.length]).toEqual([1000, 1]);

      proxy.strike('hold back', 1);
      await expect(store(1000)).rejects.toBeInstanceOf(LedgerUnavailableError);
      expect(await count()).toBe(1000);
      await store(1000);
      expect([await count(), attempts.length]).toEqual([2000, 3]);
      expect(await proxy.release()).toEqual(['469']);
      expect(await count()).toBe(2000);
    });

    it('leaves a batch to the detector that has claimed the partitions meanwhile', async () => {
      const proxy = await startProxy(engine.url, { onLedgerInsert: 'cut the body', times: 1 });
      const detector = await test.another({ url: proxy.url });
      const own = createOwnership(detector, PARTITIONS, 'detector');
      const { signal } = new AbortController();
      await own.claim(signal);
      const store = () =>
        own.write(new Map([[0, 1000]]), signal, (claimant) => insertRows(detector, ledgerRows(1000, 0, { claimant })));
      await expect(store()).rejects.toBeInstanceOf(LedgerUnavailableError);
      await test.ledger.claim([0], 'first');
      await expect(store()).rejects.toBeInstanceOf(FencedError);
      await insertRows(test.ledger, ledgerRows(1000, 0));
      expect(await count()).toBe(1000);
    });

    it('gives up an insert that is not answered within its limit', async () => {
      const proxy = await startProxy(engine.url, { onLedgerInsert: 'never answer', times: 1 });
      const detector = await test.another({ url: proxy.url, insertTimeoutMs: 300 });
      const start = performance.now();
      await expect(insertRows(detector, ledgerRows(10, 0))).rejects.toBeInstanceOf(LedgerUnavailableError);
      expect(performance.now() - start).toBeGreaterThanOrEqual(290);
      await insertRows(detector, ledgerRows(10, 0));
      expect(await count()).toBe(10);
    });

    it('says so when the batch is cut off on its way, and stores nothing of it', async () => {
      const proxy = await startProxy(engine.url, { onLedgerInsert: 'cut the body', times: 1 });
      const detector = await test.another({ url: proxy.url });
      await expect(insertRows(detector, ledgerRows(20_000, 0))).rejects.toBeInstanceOf(LedgerUnavailableError);
      expect(await count()).toBe(0);
      await insertRows(detector, ledgerRows(20_000, 0));
      expect(await count()).toBe(20_000);
    });

    it('is unavailable when nobody listens', async () => {
      const proxy = await startProxy(engine.url, { onLedgerInsert: 'never answer', times: 0 });
      const detector = await test.another({ url: proxy.url });
      await proxy.close();
      await expect(insertRows(detector, ledgerRows(1, 0))).rejects.toBeInstanceOf(LedgerUnavailableError);
    });
  });
});

interface Fault {
  /** "hold back": the request is taken, its connection ends, and it reaches the engine only when it is released. */
  onLedgerInsert: 'drop the answer' | 'never answer' | 'cut the body' | 'hold back';
  /** How many inserts it happens to; later ones pass. */
  times: number;
}

interface FaultyProxy {
  url: string;
  close(): Promise<void>;
  /** What happens to the next inserts. */
  strike(onLedgerInsert: Fault['onLedgerInsert'], times: number): void;
  /** Sends on what was held back, and returns the engine's codes of exception. */
  release(): Promise<(string | undefined)[]>;
}

/** A proxy in front of the engine that misbehaves on ledger inserts. */
async function startProxy(target: string, first: Fault): Promise<FaultyProxy> {
  let fault = first;
  let left = fault.times;
  const heldBack: (() => Promise<IncomingMessage>)[] = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const isInsert = (incoming.url ?? '').includes('INSERT') && (incoming.url ?? '').includes('Native');
      const strikes = isInsert && left > 0;
      if (strikes) left--;
      const body = await buffer(incoming);
      if (strikes && fault.onLedgerInsert === 'never answer') return;
      if (strikes && fault.onLedgerInsert === 'hold back') {
        heldBack.push(() => send(target, incoming, body));
        incoming.socket.destroy();
        return;
      }
      const cut = strikes && fault.onLedgerInsert === 'cut the body';
      const answer = await send(target, incoming, cut ? body.subarray(0, body.length / 2) : body);
      const text = await buffer(answer);
      if (strikes && fault.onLedgerInsert === 'drop the answer') {
        incoming.socket.destroy();
        return;
      }
      const { 'transfer-encoding': _chunked, ...headers } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 500, { ...headers, 'content-length': text.length });
      outgoing.end(text);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => closeServer(server);
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close,
    strike(onLedgerInsert, times) {
      fault = { onLedgerInsert, times };
      left = times;
    },
    async release() {
      const codes: (string | undefined)[] = [];
      for (const arrive of heldBack.splice(0)) {
        const answer = await arrive();
        await buffer(answer);
        codes.push(answer.headers['x-clickhouse-exception-code'] as string | undefined);
      }
      return codes;
    },
  };
}

function send(target: string, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { 'transfer-encoding': _chunked, ...headers } = incoming.headers;
    const outgoing = forward(
      new URL(incoming.url ?? '/', target),
      { method: incoming.method ?? 'POST', headers: { ...headers, 'content-length': body.length } },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
