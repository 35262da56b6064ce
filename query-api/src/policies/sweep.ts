import type { PolicyId, PolicyMode } from '../../contract/index.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import type { JobRun } from '../schedule/job.ts';
import { changeKeys } from '../registry/change-keys.ts';
import type { KeyChange } from '../registry/change-keys.ts';
import { openCollections } from './collections.ts';
import type { Offer } from './collections.ts';
import { inTurns, judge } from './evaluate.ts';
import { readFacts, readNetworks } from './facts.ts';
import type { PolicyParts } from './facts.ts';
import { changeOf, DAY_MS } from './rules.ts';
import type { SeenNetworks } from './rules.ts';
import { readPolicies } from './settings.ts';

/** Keys changed in one transaction; it holds the lock of registry changes meanwhile. */
const KEYS_PER_ACT = 100;

interface Sweep {
  id: PolicyId;
  modes: readonly PolicyMode[];
  /** Whether nobody looked at the list before: then only what was observed for long enough is acted on. */
  isUnattended: boolean;
  actor: string;
  /** Told in the transaction of each part what it changed, and what breaks the policy and could not be changed. */
  onPart?: (transaction: RegistryTransaction, part: { changed: number; skipped: number }) => Promise<void>;
  /** Put before the cursor of the run: whose sweep it is. */
  cursorPrefix: string;
}

/**
 * Changes every key that breaks a policy, part by part in the order of ids. Each is judged once more in the transaction that changes it,
 * by the row and the settings as they are then: what was changed meanwhile is left alone, and a part that is met again does nothing.
 * @param afterId where the run stood
 */
export async function sweepKeys(
  parts: PolicyParts,
  run: JobRun,
  sweep: Sweep,
  afterId: string,
): Promise<{ changed: number; skipped: number }> {
  const { db, registry, now } = parts;
  const { id, modes } = sweep;
  const facts = await readFacts(parts);
  const set = await readPolicies(db);
  const { all } = await registry.current();
  const waiting = new Set(id === 'auto_rotation' ? await credentialsWaiting(parts) : []);
  const total = { changed: 0, skipped: 0 };
  let batch: CredentialRow[] = [];

  async function flush(): Promise<void> {
    const first = batch[0];
    if (first === undefined) return;
    const observeDays = Number(set.of(id, first.project).settings['observe_days'] ?? 0);
    const seenOf = id === 'ip_locking' ? await readNetworks(parts, batch, observeDays) : () => [] as SeenNetworks;
    const ids = batch.map((row) => row.id);
    batch = [];
    let done = { changed: 0, skipped: 0 };
    await run.act(async (transaction) => {
      done = { changed: 0, skipped: 0 };
      const at = new Date(now());
      const fresh = await readPolicies(transaction);
      const rows = await transaction.selectFrom('credentials').selectAll().where('id', 'in', ids).execute();
      const offers: Offer[] = [];
      const edits: KeyChange[] = [];
      for (const row of rows) {
        const judged = judge(id, row, { set: fresh, facts, nowMs: at.getTime(), modes });
        if (judged?.why == null) continue;
        const change = changeOf(id, judged.setting.settings, row, seenOf(row.id), at.getTime());
        if (change.kind === 'collection') offers.push({ row, ...change });
        else if (change.kind === 'edit') {
          edits.push({ row, fields: change.fields, detail: `Policy ${id}. ${judged.why}` });
        } else done.skipped++;
      }
      const by = { actor: sweep.actor, at };
      const offered = await openCollections(transaction, offers, by);
      const { changes } = await changeKeys(transaction, edits, by);
      done.changed = offered.size + changes.filter((ofKey) => ofKey.length > 0).length;
      done.skipped += offers.length + edits.length - done.changed;
      await sweep.onPart?.(transaction, done);
      return `${sweep.cursorPrefix}${ids.at(-1)}`;
    });
    total.changed += done.changed;
    total.skipped += done.skipped;
  }

  const known = { set, facts, nowMs: now(), modes };
  for await (const row of inTurns(inOrder(all, afterId))) {
    if (waiting.has(row.id)) continue;
    const judged = judge(id, row, known);
    if (judged?.why == null) continue;
    const observedMs = Number(judged.setting.settings['observe_days'] ?? 0) * DAY_MS;
    if (sweep.isUnattended && now() - row.created_at.getTime() < observedMs) continue;
    // One part has the settings of one place: networks are read for as many days as these say.
    if (batch.length > 0 && set.of(id, batch[0]!.project) !== set.of(id, row.project)) await flush();
    batch.push(row);
    if (batch.length >= KEYS_PER_ACT) await flush();
  }
  await flush();
  return total;
}

function inOrder(all: readonly CredentialRow[], afterId: string): CredentialRow[] {
  return all.filter(({ id }) => id > afterId).sort((one, other) => (one.id < other.id ? -1 : 1));
}

async function credentialsWaiting({ db }: PolicyParts): Promise<string[]> {
  const rows = await db.selectFrom('collections').select('credential_id').where('status', '=', 'open').execute();
  return rows.map(({ credential_id: id }) => id);
}
