import type { Drain } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readCallers } from './callers.ts';
import type { Caller } from './callers.ts';
import type { CredentialRow } from './record.ts';
import { secretItemOf } from './secrets.ts';
import type { SecretRow } from './secrets.ts';

/** Callers listed per secret. */
const CALLERS_LISTED_MAX = 100;

const lastOf = (callers: readonly Caller[]): string | null =>
  callers.length === 0 ? null : new Date(Math.max(...callers.map(({ lastMs }) => lastMs))).toISOString();
const callsOf = (callers: readonly Caller[]): number => callers.reduce((sum, { calls }) => sum + calls, 0);

/** Who still uses secrets of a credential that were rotated out, since each was replaced, and how much its present one is used. */
export async function readDrain(
  parts: { store: ClickHouse; nowMs: number; onFault: (error: unknown) => void },
  row: CredentialRow,
  secrets: readonly SecretRow[],
): Promise<Drain> {
  const { store, nowMs, onFault } = parts;
  let available = true;
  async function callersOf(secret: SecretRow): Promise<Caller[]> {
    try {
      return await readCallers(store, [secret.record_key], (secret.replaced_at ?? secret.created_at).getTime());
    } catch (error) {
      onFault(error);
      available = false;
      return [];
    }
  }
  const read = await Promise.all(secrets.map(async (secret) => ({ secret, callers: await callersOf(secret) })));
  const present = read.find(({ secret }) => secret.replaced_at === null)!;
  return {
    credential_id: row.id,
    ledger: available ? 'available' : 'unavailable',
    current: {
      fingerprint: row.fingerprint,
      hint: row.hint,
      calls: callsOf(present.callers),
      last_used_at: lastOf(present.callers),
    },
    old: read
      .filter(({ secret }) => secret.replaced_at !== null)
      .map(({ secret, callers }) => ({
        ...secretItemOf(row, secret, nowMs),
        calls: callsOf(callers),
        last_used_at: lastOf(callers),
        callers: callers.slice(0, CALLERS_LISTED_MAX).map(({ user, ip, agent, environment, calls, lastMs }) => {
          return { user, ip, agent, environment, calls, last_seen: new Date(lastMs).toISOString() };
        }),
      })),
  };
}
