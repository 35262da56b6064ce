import { createHash, randomUUID } from 'node:crypto';
import type { Evidence, ExportReceipt } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { canonicalJson } from '../audit/canonical-json.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readReceipt } from '../exports/list.ts';
import { readSigningKey, signatureOf } from '../exports/signing.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { change } from '../registry/registry.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { readRuns } from './runs.ts';

export interface EvidenceParts {
  db: RegistryDatabase;
  store: ClickHouse;
  registry: { current(): Promise<RegistrySnapshot> };
  authSecret: string;
  now: () => number;
}

/**
 * Captures evidence: the runs whose calls an exported file has, beside that file's receipt, signed and noted in the trail.
 * @throws {ProblemError} `not_found` for no such export; `validation` for one without runs; `conflict` before key signing was set up
 */
export async function captureEvidence(parts: EvidenceParts, exportId: string, actor: string): Promise<Evidence> {
  const { db, store, registry, authSecret, now } = parts;
  const receipt = await readReceipt(db, exportId);
  if (receipt.what !== 'activity' && receipt.what !== 'ledger') {
    throw fieldProblem('export_id', `is of the ${receipt.what}, which names no runs: export activity or the ledger`);
  }
  const unsignable = new ProblemError(
    'conflict',
    'Evidence is signed, and key signing was not set up yet. An admin does that once, under Onboarding or Exports.',
  );
  if ((await readSigningKey(db)).key === null) throw unsignable;
  const key = keyOf(receipt, await registry.current());
  const runs = await readRuns(store, receipt);
  const id = randomUUID();
  const at = new Date(now());
  return change(db, async (transaction) => {
    const facts = { version: 1 as const, id, captured_at: at.toISOString(), captured_by: actor, key, ...runs, receipt };
    const sha256 = createHash('sha256').update(canonicalJson(facts)).digest('hex');
    const chain_head = await appendAudit(transaction, {
      ...{ at, actor, action: 'evidence.captured', subject: { kind: 'export', id: receipt.id } },
      credentialId: key?.credential_id ?? '',
      detail: `evidence ${id}: ${runs.runs_total} runs, ${runs.calls} calls, SHA-256 ${sha256}`,
    });
    const unsigned = { ...facts, chain_head };
    const signature = await signatureOf(transaction, unsigned, authSecret);
    if (signature === null) throw unsignable;
    const evidence: Evidence = { ...unsigned, signature };
    await transaction
      .insertInto('evidence')
      .values({
        ...{ id, captured_at: at, captured_by: actor, export_id: receipt.id },
        evidence: JSON.stringify(evidence),
      })
      .execute();
    return evidence;
  });
}

/** The one key that an export was filtered by. */
function keyOf({ filters }: ExportReceipt, { byId, byFingerprint }: RegistrySnapshot): Evidence['key'] {
  const only = (name: string): string | null => {
    const values = [filters[name] ?? []].flat();
    return values.length === 1 ? String(values[0]) : null;
  };
  const [id, lane] = [only('credential_id'), only('lane') ?? only('fingerprint')];
  const row = (id === null ? undefined : byId.get(id)) ?? (lane === null ? undefined : byFingerprint.get(lane));
  if (row === undefined) return null;
  const { id: credential_id, name, hint, owner, owner_kind } = row;
  return { credential_id, name, hint, owner, owner_kind };
}
