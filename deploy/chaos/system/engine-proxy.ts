import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { freePort } from '../../kafka/start-kafka.ts';

/**
 * What to do to the next inserts into the ledger:
 * - `drop-answer`: the engine gets the whole request and its answer is thrown away with the connection;
 * - `cut-request`: the engine gets half of the request before both connections end;
 * - `delay-answer`: the answer is withheld until the detector has given up on it.
 */
export const NETWORK_FAULTS = ['drop-answer', 'cut-request', 'delay-answer'] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

/** An insert that left its detector and has not reached the engine. */
export interface HeldInsert {
  /** Sends it on, whether or not anybody still waits for the answer. Resolves with the engine's exception code, '' for none. */
  release(): Promise<string>;
}

/** Stands between one detector and the engine. */
export interface EngineProxy {
  readonly url: string;
  /** How many inserts each fault met, and how many the engine refused because the partition has another claimant. */
  readonly counts: Record<NetworkFault | 'fenced', number>;
  /** Does this to the next inserts into the ledger, one each. */
  arm(faults: readonly NetworkFault[]): void;
  /** Inserts still to be met by what was armed. */
  readonly armed: number;
  /** Forgets what was armed and not met. */
  disarm(): void;
  /** Holds the next insert into the ledger back. Resolves once it is here in whole; null when `signal` fires first. */
  holdNext(signal: AbortSignal): Promise<HeldInsert | null>;
  close(): Promise<void>;
}

const LEDGER_INSERT = /^\s*INSERT\s+INTO\s+\S*\.?`?ledger`?[\s(]/i;
/** ClickHouse's VIOLATED_CONSTRAINT: what a detector gets whose partition was claimed by another. */
const VIOLATED_CONSTRAINT = '469';
const EXCEPTION_HEADER = 'x-clickhouse-exception-code';

/** Starts a proxy in front of the engine at `engineUrl`, on a port of its own. */
export async function startEngineProxy(engineUrl: string): Promise<EngineProxy> {
  const engine = new URL(engineUrl);
  const counts = { 'drop-answer': 0, 'cut-request': 0, 'delay-answer': 0, fenced: 0 };
  let armed: NetworkFault[] = [];
  let hold: ((held: HeldInsert) => void) | null = null;

  function isLedgerInsert(request: IncomingMessage): boolean {
    const query = new URL(request.url ?? '/', engine).searchParams.get('query') ?? '';
    return LEDGER_INSERT.test(query);
  }

  /** Sends the head of a request on; the caller writes the body into what it returns. */
  function forward(request: IncomingMessage, onAnswer: (answer: IncomingMessage) => void, onFailure: () => void) {
    const upstream = httpRequest(
      {
        host: engine.hostname,
        port: engine.port,
        method: request.method,
        path: request.url,
        headers: request.headers,
        // An engine that was killed leaves no half-open connection behind for the next request.
        agent: false,
      },
      (answer) => {
        if (answer.headers[EXCEPTION_HEADER] === VIOLATED_CONSTRAINT && isLedgerInsert(request)) counts.fenced++;
        onAnswer(answer);
      },
    );
    upstream.once('error', onFailure);
    return upstream;
  }

  function passOn(request: IncomingMessage, response: ServerResponse): void {
    const upstream = forward(
      request,
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
        answer.once('error', () => response.destroy());
      },
      () => response.destroy(),
    );
    request.pipe(upstream);
    // A client that gives up gives up towards the engine, too.
    response.once('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
  }

  async function meet(fault: NetworkFault, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const client = response.socket;
    if (fault === 'cut-request') {
      const upstream = forward(
        request,
        (answer) => answer.resume(),
        () => undefined,
      );
      await new Promise<void>((resolve) => upstream.write(body.subarray(0, body.length >> 1), () => resolve()));
      upstream.destroy();
      client?.destroy();
      counts[fault]++;
      return;
    }
    const upstream = forward(
      request,
      (answer) => {
        answer.resume();
        answer.once('end', () => {
          counts[fault]++;
          // For a delayed answer, the detector hangs up when its time is over.
          if (fault === 'drop-answer') client?.destroy();
        });
        answer.once('error', () => client?.destroy());
      },
      () => client?.destroy(),
    );
    upstream.end(body);
  }

  async function holdBack(
    request: IncomingMessage,
    response: ServerResponse,
    onHeld: (held: HeldInsert) => void,
  ): Promise<void> {
    const body = await bodyOf(request);
    onHeld({
      release: () =>
        new Promise((resolve, reject) => {
          const upstream = forward(
            request,
            (answer) => {
              answer.resume();
              answer.once('end', () => {
                response.destroy();
                resolve(String(answer.headers[EXCEPTION_HEADER] ?? ''));
              });
            },
            () => reject(new Error('the engine did not take the held insert')),
          );
          upstream.end(body);
        }),
    });
  }

  const server = createServer((request, response) => {
    request.once('error', () => response.destroy());
    if (!isLedgerInsert(request)) {
      passOn(request, response);
      return;
    }
    const onHeld = hold;
    if (onHeld !== null) {
      hold = null;
      holdBack(request, response, onHeld).catch(() => response.destroy());
      return;
    }
    const fault = armed.shift();
    if (fault === undefined) passOn(request, response);
    else meet(fault, request, response).catch(() => response.destroy());
  });
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    arm(faults) {
      armed.push(...faults);
    },
    get armed() {
      return armed.length;
    },
    disarm() {
      armed = [];
    },
    holdNext(signal) {
      return new Promise((resolve) => {
        hold = resolve;
        signal.addEventListener('abort', () => {
          if (hold === resolve) hold = null;
          resolve(null);
        });
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
