import { startEmbeddedClickHouse, type EmbeddedClickHouse } from '../../../deploy/embedded/clickhouse/spawn.ts';
import { makeTempDir, removeDir, uniqueName } from '../../../deploy/testing/helpers.ts';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Finding, LedgerRow } from '../../contract/index.ts';
import { connect, type ClickHouseEndpoint } from './clickhouse.ts';
import type { Ledger } from './ledger.ts';
import { openLedger, type LedgerOptions } from './open.ts';

/*
 * For tests only: an engine to test against, a fresh migrated database in it, rows to write. The one place of this package
 * that reaches into deploy, because a ledger test without an engine proves nothing.
 */

const SILENCE_MS_MAX = 60_000;

/** An engine to run tests on. */
export interface TestEngine extends ClickHouseEndpoint {
  stop(): Promise<void>;
}

/** The server that CLICKHOUSE_URL names (with CLICKHOUSE_USER, CLICKHOUSE_PASSWORD), else an embedded one of its own. */
export async function startTestEngine(): Promise<TestEngine> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD } = process.env;
  if (url !== undefined && url !== '')
    return {
      url,
      user: CLICKHOUSE_USER ?? 'default',
      password: CLICKHOUSE_PASSWORD ?? '',
      stop: () => Promise.resolve(),
    };
  const directory = await makeTempDir();
  const engine = await startEmbeddedClickHouse({ path: directory });
  return {
    url: engine.url,
    user: engine.user,
    password: engine.password,
    async stop() {
      await engine.stop();
      await removeDir(directory);
    },
  };
}

/** An embedded engine that can be killed and started again on its data, at the same address. */
export interface MortalEngine extends ClickHouseEndpoint {
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMortalEngine(): Promise<MortalEngine> {
  const directory = await makeTempDir();
  let engine: EmbeddedClickHouse = await startEmbeddedClickHouse({ path: directory });
  const { url, user, password } = engine;
  return {
    url,
    user,
    password,
    kill: () => engine.kill(),
    async restart() {
      engine = await startEmbeddedClickHouse({ path: directory, port: Number(new URL(url).port), password });
    },
    async stop() {
      await engine.stop();
      await removeDir(directory);
    },
  };
}

/** A ledger in a database of its own, with a client to look behind it. */
export interface TestLedger {
  ledger: Ledger;
  client: ClickHouseClient;
  database: string;
  options: LedgerOptions;
  /** Rows of a query in JSONCompactEachRow; `{database}` stands for the database. */
  rows<Row>(query: string): Promise<Row[]>;
  /** Another ledger on the same database, as another detector has it. Closed with this one. */
  another(changes?: Partial<LedgerOptions>): Promise<Ledger>;
  /** Closes the connections and leaves the database, for an engine whose directory goes with it. */
  disconnect(): Promise<void>;
  /** Drops the database, too. */
  close(): Promise<void>;
}

export async function openTestLedger(
  engine: ClickHouseEndpoint,
  changes: Partial<LedgerOptions> = {},
): Promise<TestLedger> {
  const database = uniqueName('ledger_test');
  const { url, user, password } = engine;
  const options: LedgerOptions = {
    url,
    user,
    password,
    database,
    engine: 'MergeTree',
    fsync: true,
    insertTimeoutMs: 20_000,
    ...changes,
  };
  const client = connect(engine, SILENCE_MS_MAX);
  const ledgers: Ledger[] = [];
  const another = async (more: Partial<LedgerOptions> = {}) => {
    const opened = await openLedger({ ...options, ...more });
    ledgers.push(opened);
    return opened;
  };
  return {
    ledger: await another(),
    client,
    database,
    options,
    another,
    async rows<Row>(query: string) {
      const answer = await client.query({
        query: query.replaceAll('{database}', database),
        format: 'JSONCompactEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
      });
      return answer.json<Row>();
    },
    async disconnect() {
      await Promise.all([...ledgers.map((opened) => opened.close()), client.close()]);
    },
    async close() {
      await Promise.all(ledgers.map((opened) => opened.close()));
      await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
      await client.close();
    },
  };
}

/** A ledger on an engine that is started for it, and stopped as it is closed: for files whose tests share one. */
export async function startTestLedger(): Promise<TestLedger> {
  const engine = await startTestEngine();
  const test = await openTestLedger(engine);
  return {
    ...test,
    async close() {
      await test.close();
      await engine.stop();
    },
  };
}

export const STORED_AT = Date.UTC(2026, 10, 20, 12);

/** A row with something in it; tests name what matters to them. */
export function ledgerRow(changes: Partial<LedgerRow> = {}): LedgerRow {
  return {
    source: 'test',
    id: 'event-1',
    time: STORED_AT - 2_000,
    received_at: STORED_AT - 1_000,
    seen_at: STORED_AT - 2_000,
    lane: 'a'.repeat(64),
    fingerprint: 'a'.repeat(64),
    hint: 'sk-ant-...C001',
    credential_provider: 'anthropic',
    credential_kind: 'api_key',
    org: 'acme',
    user: 'ada@acme.example',
    ip: '10.0.0.1',
    host: 'laptop-1',
    agent: 'claude-code',
    agent_version: '2.1.0',
    session: 'session-1',
    request_id: 'req_1',
    repo: 'acme/app',
    branch: 'main',
    provider: 'anthropic',
    model: 'claude-opus',
    module: '',
    environment: 'production',
    action: 'execution',
    operation: 'messages',
    outcome: 'success',
    status_code: 200,
    tokens_input_uncached: 100,
    tokens_cache_read: 20_000,
    tokens_cache_write: 0,
    tokens_output: 50,
    cost_nano_usd: 12_345_678,
    cost_basis: 'reported',
    latency_ms: 1_200,
    collector: 'collector-1',
    flags: [],
    served_by: '',
    reporter: '',
    sent_as: '',
    response_id: '',
    rate_limits: '',
    event_hash_low: 1,
    event_hash_high: 2,
    standing: 'known',
    match: 'proven',
    credential_id: 'credential-1',
    findings: [],
    evidence: [],
    lane_profile: '',
    calls: 1,
    joins: '',
    kafka_partition: 0,
    kafka_offset: 0,
    record_index: 0,
    stored_at: STORED_AT,
    claimant: 'first',
    ...changes,
  };
}

/** Rows at consecutive offsets from `firstOffset`, one per record, lanes and people alternating. */
export function ledgerRows(count: number, firstOffset: number, changes: Partial<LedgerRow> = {}): LedgerRow[] {
  return Array.from({ length: count }, (_, index) => {
    const offset = firstOffset + index;
    return ledgerRow({
      id: `event-${offset}`,
      lane: `lane-${offset % 7}`,
      user: `user-${offset % 11}`,
      session: `session-${Math.floor(offset / 5)}`,
      seen_at: STORED_AT - 2_000 - (offset % 5) * 3_600_000,
      event_hash_low: offset,
      kafka_offset: offset,
      ...changes,
    });
  });
}

/** Stores rows as one batch, at the time and under the claimant that the first of them says. */
export async function insertRows(ledger: Ledger, rows: readonly LedgerRow[]): Promise<void> {
  const block = ledger.newBlock();
  for (const row of rows) block.add(row);
  block.seal(rows[0]?.stored_at ?? STORED_AT);
  await ledger.insert(block, rows[0]?.claimant ?? '');
}

/** A finding with something in it. */
export function finding(changes: Partial<Finding> = {}): Finding {
  return {
    id: 'R01-0123456789abcdef01234567',
    rule: 'R01',
    lane: 'lane-1',
    fingerprint: 'lane-1',
    hint: 'sk-...1',
    org: 'acme',
    credential_id: '',
    severity: 'high',
    risk: 73,
    first_seen: '2026-11-20T12:00:00.001Z',
    last_seen: '2026-11-20T12:00:00.999Z',
    last_received_at: '2026-11-20T12:00:01.000Z',
    occurrences: 2,
    facts: { people: ['a', 'b\n"'], spend_usd: 5.25, active: true, text: '' },
    parameters: { spend_usd: 5 },
    ledger_filter: { finding: 'R01-0123456789abcdef01234567' },
    ...changes,
  };
}
