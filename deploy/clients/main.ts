import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createClient } from '@clickhouse/client';
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
    },
  });
  const names = CLIENTS.map(({ name }) => name);
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined || values['ready-file'] === undefined) {
    throw new Error(
      `Usage: clients --ready-file FILE [--npm DIR] [--litellm COMMAND] [--provider-port PORT] [${names.join('|')} …]`,
    );
  }
  const ready = JSON.parse(readFileSync(fromCaller(values['ready-file']), 'utf8')) as ReadyFile;
  const chosen = CLIENTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const providerPort = portOf(values['provider-port']);
  let failed = 0;
  for (const client of chosen) {
    const provider = await startProvider(providerPort ?? 0);
    const home = mkdtempSync(join(tmpdir(), `lanewatch-${client.name}-`));
    const surroundings: Surroundings = {
      home,
      ingestUrl: ready.ingest_url,
      collectorKey: ready.collector_key,
      providerUrl: (name) => (providerPort === null ? provider.url : `${ready.ingest_url}/proxy/${name}`),
      isProxied: providerPort !== null,
      npmDirectory: fromCaller(values.npm),
      litellm: values.litellm,
    };
    try {
      configure(client, surroundings);
      const since = Date.now();
      await client.run(surroundings);
      const faults = await faultsIn(client, providerPort !== null, provider.served, ready, since);
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

/** What is different between what the provider answered and what the ledger holds; asks again until they agree or time is up. */
async function faultsIn(
  client: Client,
  isProxied: boolean,
  served: Served[],
  ready: ReadyFile,
  since: number,
): Promise<string[]> {
  const { url, user: username, password, database = 'lanewatch' } = ready.clickhouse;
  const clickhouse = createClient({ url, username, password, database });
  try {
    for (const deadline = Date.now() + 30_000; ; await new Promise((resolve) => setTimeout(resolve, 500))) {
      const result = await clickhouse.query({
        query: `SELECT model, user, fingerprint, outcome, tokens_input_uncached, tokens_cache_read, tokens_cache_write, tokens_output,
                  toString(cost_usd) AS cost, toString(cost_basis) AS cost_basis
                FROM ledger WHERE source = {source:String} AND action = 'execution' AND received_at >= fromUnixTimestamp64Milli({since:Int64})`,
        query_params: { source: isProxied ? client.proxySource : client.source, since },
        format: 'JSONEachRow',
      });
      const key = isProxied && client.name === 'litellm' ? LITELLM_PROVIDER_KEY : client.providerKey;
      const faults = compare(served, await result.json<LedgerRow>(), fingerprintOf(key));
      if (faults.length === 0 || Date.now() > deadline) return faults;
    }
  } finally {
    await clickhouse.close();
  }
}
