/** Broken: every attempt to insert a batch is a new one to ClickHouse, so a lost answer stores the batch twice. */
import { randomUUID } from 'node:crypto';
import { startMutant } from './start-mutant.ts';

await startMutant({
  ledger: (ledger) => ({ ...ledger, insert: (rows, token) => ledger.insert(rows, `${token}/${randomUUID()}`) }),
});
