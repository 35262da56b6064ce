/**
 * Broken: a claim is written down and means nothing. Ledger, progress and findings take rows from whoever sends them, and a new
 * owner waits for no insert of the old one.
 */
import { createClient } from '@clickhouse/client';
import { startMutant } from './start-mutant.ts';

await startMutant({
  ledger: (ledger, config) => {
    const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password } = config;
    const client = createClient({ url, username, password });
    const database = config.CLICKHOUSE_DATABASE;
    return {
      ...ledger,
      async claim(partitions, claimant) {
        for (const table of ['ledger', 'progress', 'findings'])
          await client.command({ query: `ALTER TABLE ${database}.${table} DROP CONSTRAINT IF EXISTS one_writer` });
        await client.command({
          query: `INSERT INTO ${database}.claims SELECT arrayJoin({partitions:Array(UInt64)}), {claimant:String}, now64(6, 'UTC')`,
          query_params: { partitions, claimant },
        });
      },
    };
  },
});
