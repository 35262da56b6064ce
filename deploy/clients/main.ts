import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { fromCaller } from '../embedded/caller.ts';
import { compare, type LedgerRow } from './compare.ts';
import { type Served, startProvider } from './provider.ts';
import { type Client, CLIENTS, configure, LITELLM_PROVIDER_KEY, type Surroundings } from './run.ts';

/** `npm run -s lanewatch -- clients`: real clients against a provider on loopback; each request must be one row of the ledger. */
try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

interface ReadyFile {
  ingest_url: string;
  collector_key: string;
  clickhouse: { url: string; user: string; password: string; database?: string };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'ready-file': { type: 'string' },
      npm: { type: 'string', default: '.' },
      litellm: { type: 'string', default: 'litellm' },
      keep: { type: 'boolean', default: false },
      'provider-port': { type: 'string' },
      both: { type: 'boolean', default: false },
    },
  });
  const names = CLIENTS.map(({ name }) => name);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined || values['ready-file'] === undefined) {
    throw new Error(
      `Usage: clients --ready-file FILE [--npm DIR] [--litellm COMMAND] [--provider-port PORT [--both]] [${names.join('|')} …]`,
    );
  }
  const ready = JSON.parse(readFileSync(fromCaller(values['ready-file']), 'utf8')) as ReadyFile;
  const chosen = CLIENTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const providerPort = portOf(values['provider-port']);
  if (values.both && providerPort === null)
    throw new Error('--both goes through the observing proxy, too: name --provider-port.');
  const reporting = providerPort === null ? 'client' : values.both ? 'both' : 'proxy';
  let failed = 0;
  for (const client of chosen) {
    const provider = await startProvider(providerPort ?? 0);
    const home = mkdtempSync(join(tmpdir(), `lanewatch-${client.name}-`));
    const surroundings: Surroundings = {
      home,
      ingestUrl: ready.ingest_url,
      collectorKey: ready.collector_key,
      providerUrl: (name) => (providerPort === null ? provider.url : `${ready.ingest_url}/proxy/${name}`),
      reportsItself: reporting !== 'proxy',
      npmDirectory: fromCaller(values.npm),
      litellm: values.litellm,
    };
    try {
      configure(client, surroundings);
      const since = Date.now();
      await client.run(surroundings);
      const faults = await faultsIn(client, reporting, provider.served, ready, since);
      if (faults.length > 0) failed++;
      console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${client.name}: ${provider.served.length} requests`);
      for (const fault of faults) console.log(`     ${fault}`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${client.name}: ${(error as Error).message}`);
    } finally {
      provider.close();
      if (values.keep) console.log(`     its home directory is kept: ${home}`);
      else rmSync(home, { recursive: true, force: true });
    }
  }
  return failed === 0 ? 0 : 1;
}

/** Where the provider listens so that an observing proxy which was told of it reaches it; null without one. */
function portOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port <= 65_535) return port;
  throw new Error(`--provider-port is a port from 1 to 65535, not "${text}".`);
}

/** Who reports: the client, the observing proxy before its provider, or both of them. */
type Reporting = 'client' | 'proxy' | 'both';

/**
 * What is different between what the provider answered and what the ledger holds; asks again until they agree or time is up. Rows are summed as
 * every page sums them, so that a report that was taken back is not there.
 */
async function faultsIn(
  client: Client,
  reporting: Reporting,
  served: Served[],
  ready: ReadyFile,
  since: number,
): Promise<string[]> {
  const { url, user: username, password, database = 'lanewatch' } = ready.clickhouse;
  const clickhouse = createClient({ url, username, password, database });
  const sources = { client: [client.source], proxy: [client.proxySource], both: [] }[reporting];
  // Both reports come in their time, and are joined by the next look after that.
  const settlesMs = reporting === 'both' ? 60_000 : 30_000;
  const fingerprint = fingerprintOf(keyOf(client, reporting));
  try {
    for (const deadline = Date.now() + settlesMs; ; await delay(500)) {
      const result = await clickhouse.query({
        query: `SELECT model, user, fingerprint, outcome, toInt64(sum(tokens_input_uncached)) AS tokens_input_uncached,
                  toInt64(sum(tokens_cache_read)) AS tokens_cache_read, toInt64(sum(tokens_cache_write)) AS tokens_cache_write,
                  toInt64(sum(tokens_output)) AS tokens_output, toString(sum(cost_usd)) AS cost, toString(any(cost_basis)) AS cost_basis
                FROM ledger
                WHERE (source IN {sources:Array(String)} OR empty({sources:Array(String)})) AND action = 'execution'
                  AND received_at >= fromUnixTimestamp64Milli({since:Int64})
                GROUP BY model, user, fingerprint, outcome, abs(toInt64(ledger.tokens_output)) AS request HAVING sum(calls) != 0`,
        query_params: { sources, since },
        format: 'JSONEachRow',
      });
      const rows = await result.json<LedgerRow>();
      const faults = compare(served, rows, fingerprint);
      // Before the second report is there, one alone looks as if it were joined.
      if (reporting === 'both') faults.push(...(await missingReports(clickhouse, client, served.length, since)));
      if (faults.length === 0 || Date.now() > deadline) return faults;
    }
  } finally {
    await clickhouse.close();
  }
}

/** By which key requests count: a gateway asks with another one than it is asked with, and where both are seen that of its client counts. */
function keyOf({ name, providerKey }: Client, reporting: Reporting): string {
  return name === 'litellm' && reporting === 'proxy' ? LITELLM_PROVIDER_KEY : providerKey;
}

/** Which of the two reporters has told of fewer requests than there were, in sentences. */
async function missingReports(
  clickhouse: ClickHouseClient,
  { source, proxySource }: Client,
  requests: number,
  since: number,
): Promise<string[]> {
  const result = await clickhouse.query({
    query: `SELECT source, count() AS reports FROM ledger
            WHERE action = 'execution' AND received_at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY source`,
    query_params: { since },
    format: 'JSONEachRow',
  });
  const counts = new Map(
    (await result.json<{ source: string; reports: string }>()).map((row) => [row.source, Number(row.reports)]),
  );
  return [source, proxySource]
    .filter((reporter) => counts.get(reporter) !== requests)
    .map((reporter) => `${reporter} reported ${counts.get(reporter) ?? 0} of ${requests} requests`);
}
