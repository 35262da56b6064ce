import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LedgerUnavailableError } from './ledger.ts';
import { finding, startTestLedger, type TestLedger } from './testing.ts';

const LIMIT_MS = 300;

describe('an engine that falls silent', () => {
  let test: TestLedger;
  beforeAll(async () => {
    test = await startTestLedger();
  });
  afterAll(() => test.close());

  /** Stands before the engine; once silenced it takes requests and answers none. */
  async function silencer(): Promise<{ url: string; silence(): void }> {
    let isSilent = false;
    const server = createServer((incoming, outgoing) => {
      if (isSilent) return;
      const { method, headers } = incoming;
      const forwarded = request(
        new URL(incoming.url ?? '/', test.options.url),
        { method: method ?? 'POST', headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        },
      );
      incoming.pipe(forwarded);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, silence: () => void (isSilent = true) };
  }

  it('lets a claim and a restore be broken off', async () => {
    const proxy = await silencer();
    const ledger = await test.another({ url: proxy.url });
    proxy.silence();
    const calls = [
      (signal: AbortSignal) => ledger.claim([0], 'second', signal),
      (signal: AbortSignal) => ledger.restoreHashes([0], 1, 0, 1, () => undefined, signal),
      (signal: AbortSignal) => ledger.restoreLanes([0], 0, 1, () => undefined, signal),
      (signal: AbortSignal) =>
        ledger.restoreValues([0], 0, { dimension: 'user', limit: 1, windowMs: 1 }, () => undefined, signal),
      (signal: AbortSignal) => ledger.restoreFindings([0], 0, () => undefined, signal),
    ];
    for (const call of calls) {
      const assignment = new AbortController();
      const calling = call(assignment.signal);
      setImmediate(() => assignment.abort());
      await expect(calling).rejects.toBeInstanceOf(LedgerUnavailableError);
    }
  });

  // Each of them is what a batch or an assignment waits for.
  it('holds up neither a claim, nor the resume point, nor findings beyond a few limits of an insert', async () => {
    const proxy = await silencer();
    const ledger = await test.another({ url: proxy.url, insertTimeoutMs: LIMIT_MS });
    await ledger.claim([0], 'first');
    proxy.silence();
    const calls = [
      () => ledger.claim([0], 'second'),
      () => ledger.resumeOffsets([0]),
      () => ledger.resetPartitions([0]),
      () => ledger.noteProgress(new Map([[0, 1]]), Date.now(), 'first'),
      () => ledger.tallyKnownFindings([finding()], () => undefined),
      () => ledger.writeFindings([{ finding: finding(), partition: 0 }], 'first'),
      () => ledger.readFindings([finding().id]),
    ];
    for (const call of calls) {
      const startMs = performance.now();
      await expect(call()).rejects.toBeInstanceOf(LedgerUnavailableError);
      expect(performance.now() - startMs).toBeLessThan(LIMIT_MS * 20);
    }
  });
});
