import { expect, test } from 'vitest';
import { credentialCreateSchema } from '../../contract/index.ts';
import { StoreUnavailableError } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { createCollectorTotals } from '../overview/collectors.ts';
import { draftCredential } from './draft.ts';
import { readLastUses } from './last-use.ts';

const NOW = Date.UTC(2026, 10, 21);
const keyOf = (digit: string, parts: object) =>
  draftCredential(credentialCreateSchema.parse({ name: digit, fingerprint: digit.repeat(64), ...parts }), 'test', NOW)
    .row;
const HINTED = { hint: 'sk-ant-...C001', org: 'acme' };

/** A ledger that knows when lanes were used last, and does not get through with one of the two reads. */
function ledger(last: Record<string, number>, fails: string): ClickHouse {
  return {
    database: 'test',
    rows: async <Row>(sql: string) => {
      if (sql.includes(`SELECT ${fails} AS`)) throw new StoreUnavailableError(new Error('timed out'));
      return Object.entries(last).map(([value, at]) => ({ value, last: at })) as Row[];
    },
    stream: () => Promise.reject(new Error('not used')),
    mirror: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

test('a ledger too large to be searched for uses by hint still tells those on a key’s own lane, and calls none never', async () => {
  const [used, unused, plain] = [keyOf('a', HINTED), keyOf('b', HINTED), keyOf('c', {})];
  const faults: unknown[] = [];
  const store = ledger({ [used!.fingerprint]: NOW - 5 }, 'credential_id');
  const parts = { store, collectors: createCollectorTotals(), onFault: (error: unknown) => faults.push(error) };
  const lastUseOf = await readLastUses(parts, [used!, unused!, plain!]);
  expect([used, unused, plain].map((row) => lastUseOf(row!.id))).toEqual([NOW - 5, 'unavailable', null]);
  expect(faults).toHaveLength(1);
});

test('without the lanes nothing is told', async () => {
  const row = keyOf('a', HINTED);
  const store = ledger({ [row.id]: NOW - 5 }, 'lane');
  const lastUseOf = await readLastUses({ store, collectors: createCollectorTotals(), onFault: () => undefined }, [row]);
  expect(lastUseOf(row.id)).toBe('unavailable');
});
