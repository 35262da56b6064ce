import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { type CredentialRecord, fingerprintOf, hintOf } from '../../contract/index.ts';
import { type CredentialView, createCredentialView } from '../auth/credentials.ts';
import { createByteBudget } from '../body/budget.ts';
import { createMetrics } from '../metrics.ts';
import { createPublisher } from '../publish/publisher.ts';
import { createServer, type ServerOptions } from '../server.ts';
import { createMemoryBus, type MemoryBus } from './memory-bus.ts';

export const TOPIC = 'usage';
export const COLLECTOR_ID = 'collector-1';

/** A secret as the registry would issue it, new for every call. */
export const newSecret = () => `lw_dev_${randomBytes(16).toString('hex')}_c0ffee`;

/** A registry record of a managed key that may ship events, with something changed. */
export function collectorRecord(secret: string, change: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    id: COLLECTOR_ID,
    fingerprint: fingerprintOf(secret),
    hint: hintOf(secret),
    name: 'test collector',
    kind: 'managed',
    provider: '',
    org: '',
    project: '',
    owner: '',
    owner_kind: '',
    team: '',
    module: '',
    environment: '',
    scopes: [{ action: 'write', resource: 'usage-events' }],
    allowed_cidrs: [],
    expected_agents: [],
    expected_repos: [],
    budget: null,
    sharing: 'team',
    people_declared: 1,
    status: 'active',
    created_at: '2026-01-01T00:00:00Z',
    expires_at: null,
    revoked_at: null,
    grace_ends_at: null,
    is_current: true,
    version: 1,
    ...change,
  };
}

export interface TestServer {
  app: FastifyInstance;
  /** What the server was made of, for another one beside it. */
  serverOptions: ServerOptions;
  bus: MemoryBus;
  credentials: CredentialView;
  secret: string;
  tallied: { collector: string; accepted: number; rejected: number; ignored: number; redacted: number }[];
  /** Everything that was logged so far. */
  logged(): string;
  /** Sends with the collector's key, unless other headers say otherwise. */
  post(
    path: string,
    body: string | Buffer,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string; json: <T>() => T }>;
}

export interface TestServerOptions {
  bodyBytesMax?: number;
  compressedBytesMax?: number;
  inflightBytesMax?: number;
  trustedProxies?: string[];
  notReadyReason?: () => string | null;
}

/** The whole server on a bus in memory, with one collector key. */
export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const bus = createMemoryBus();
  const credentials = createCredentialView();
  const secret = newSecret();
  credentials.apply({ key: null, value: Buffer.from(JSON.stringify(collectorRecord(secret))) });
  let log = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  const tallied: TestServer['tallied'] = [];
  const budget = createByteBudget(options.inflightBytesMax ?? 64 * 1024 * 1024);
  const serverOptions: ServerOptions = {
    limits: {
      bodyBytesMax: options.bodyBytesMax ?? 1024 * 1024,
      compressedBytesMax: options.compressedBytesMax ?? 256 * 1024,
    },
    budget,
    trustedProxies: options.trustedProxies ?? [],
    credentials,
    publisher: createPublisher({
      bus,
      topic: TOPIC,
      partitionOf: () => 0,
      publishTimeoutMs: 1_000,
      lingerMs: 0,
      spool: null,
      onFault: () => undefined,
    }),
    tallies: { add: (collector, tally) => tallied.push({ collector, ...tally }) },
    metrics: createMetrics({
      spoolBytes: () => 0,
      refusedBytes: () => 0,
      inflightBytes: () => budget.taken,
      credentials: () => credentials.size,
    }),
    log: pino({ level: 'trace' }, sink),
    notReadyReason: options.notReadyReason ?? (() => null),
    now: Date.now,
  };
  const app = await createServer(serverOptions);
  return {
    app,
    serverOptions,
    bus,
    credentials,
    secret,
    tallied,
    logged: () => log,
    async post(path, body, headers = {}) {
      const response = await app.inject({
        method: 'POST',
        url: path,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...headers },
        payload: body,
      });
      return {
        status: response.statusCode,
        headers: response.headers,
        body: response.body,
        json: <T>() => JSON.parse(response.body) as T,
      };
    },
  };
}
