import { randomUUID } from 'node:crypto';
import { changesKeys } from '../../contract/index.ts';
import type { FieldChange, PolicyId } from '../../contract/index.ts';
import type { z } from 'zod';
import type { policyPreviewSchema } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { ProblemError } from '../http/problem.ts';
import { changesBetween } from '../registry/edit.ts';
import { change } from '../registry/registry.ts';
import { inTurns, judge } from './evaluate.ts';
import type { Judged } from './evaluate.ts';
import { readFacts, readNetworks } from './facts.ts';
import type { PolicyParts } from './facts.ts';
import { changeOf } from './rules.ts';
import type { PolicyChange } from './rules.ts';
import { readPolicies } from './settings.ts';
import type { PolicySet } from './settings.ts';

type Preview = z.infer<typeof policyPreviewSchema>;

const ITEMS_MAX = 200;
/** Keys whose networks are read for a preview: each some hundred are a query. */
const NETWORKS_KEYS_MAX = 2_000;
const KEYS_PER_READ = 500;

/**
 * What applying a policy would do now, key by key with the reason.
 * @throws {ProblemError} `conflict` when it is off or only watches
 */
export async function previewPolicy(parts: PolicyParts, id: PolicyId): Promise<Preview> {
  const { db, registry, now } = parts;
  const set = await readPolicies(db);
  const version = refuseIdle(set, id);
  const facts = await readFacts(parts);
  const { all } = await registry.current();
  const waiting = new Set(
    (await db.selectFrom('collections').select('credential_id').where('status', '=', 'open').execute()).map(
      ({ credential_id: one }) => one,
    ),
  );
  const preview: Preview = { version, changes: 0, skipped: 0, items: [], is_complete: true };
  const known = { set, facts, nowMs: now(), modes: ['watch', 'enforce'] as const };

  function add(judged: Judged, planned: PolicyChange): void {
    if (planned.kind === 'none') preview.skipped++;
    else preview.changes++;
    if (preview.items.length >= ITEMS_MAX) return;
    const { row, why } = judged;
    preview.items.push({
      ...keyOf(row),
      why: why ?? '',
      changes: shownChanges(judged, planned),
      skipped: planned.kind === 'none' ? planned.why : null,
    });
  }

  let batch: Judged[] = [];
  async function flush(): Promise<void> {
    const first = batch[0];
    if (first === undefined) return;
    const rows = batch.map(({ row }) => row);
    const seenOf = await readNetworks(parts, rows, Number(first.setting.settings['observe_days']));
    for (const one of batch) {
      add(one, changeOf(id, one.setting.settings, one.row, seenOf(one.row.id), now()));
    }
    batch = [];
  }

  let read = 0;
  for await (const row of inTurns(all)) {
    const judged = judge(id, row, known);
    if (judged?.why == null) continue;
    if (id !== 'ip_locking') {
      const isWaiting = id === 'auto_rotation' && waiting.has(row.id);
      add(
        judged,
        isWaiting
          ? { kind: 'none', why: 'A replacement waits for its owner already.' }
          : changeOf(id, judged.setting.settings, row, [], now()),
      );
      continue;
    }
    if (++read > NETWORKS_KEYS_MAX) {
      preview.is_complete = false;
      break;
    }
    if (batch.length > 0 && batch[0]!.setting !== judged.setting) await flush();
    batch.push(judged);
    if (batch.length >= KEYS_PER_READ) await flush();
  }
  await flush();
  return preview;
}

function shownChanges({ row }: Judged, planned: PolicyChange): FieldChange[] {
  if (planned.kind === 'none') return [];
  if (planned.kind === 'edit') return changesBetween(row, { ...row, ...planned.fields });
  const last = new Date(Math.min(planned.lastMs, row.expires_at?.getTime() ?? Infinity));
  return [{ field: 'replacement_waits_until', before: null, after: last.toISOString() }];
}

/** The names of a key that lists of policies show. */
export function keyOf(row: { id: string; name: string; hint: string; owner: string; project: string }) {
  const { id: credential_id, name, hint, owner, project } = row;
  return { credential_id, name, hint, owner, project };
}

/** The policy's version, 409 where applying it would do nothing. */
function refuseIdle(set: PolicySet, id: PolicyId): number {
  if (!changesKeys(id)) throw new ProblemError('conflict', 'This policy changes no keys: there is nothing to apply.');
  const row = set.row(id);
  const isOn = [row, ...set.overrides(id)].some((one) => one !== null && one.mode !== 'off');
  if (isOn) return versionOf(set, id);
  throw new ProblemError('conflict', 'This policy is off: set it to watch or enforce first.');
}

/** Grows with every setting of the policy, the organisation's and the projects'. */
const versionOf = (set: PolicySet, id: PolicyId): number =>
  [set.row(id), ...set.overrides(id)].reduce((sum, row) => sum + (row?.version ?? 0), 0);

/**
 * Begins applying a policy to every key that breaks it: one audited act, whose work a job does in parts.
 * @param apply.version of the preview that was looked at
 * @returns id of the application
 * @throws {ProblemError} `conflict` when it was set anew since, is off, or is being applied already
 */
export function beginApplication(
  parts: Pick<PolicyParts, 'db' | 'now'>,
  apply: { id: PolicyId; version: number; actor: string },
): Promise<string> {
  const { id: policy, version, actor } = apply;
  return change(parts.db, async (transaction) => {
    const now = refuseIdle(await readPolicies(transaction), policy);
    if (now !== version) {
      throw new ProblemError('conflict', 'Somebody set this policy since. Look at what it would change now.', [
        { path: 'version', message: `is ${now} now` },
      ]);
    }
    const open = await transaction
      .selectFrom('policy_applications')
      .select('id')
      .where('policy', '=', policy)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    if (open !== undefined) throw new ProblemError('conflict', 'It is being applied already.');
    const id = randomUUID();
    const at = new Date(parts.now());
    await transaction
      .insertInto('policy_applications')
      .values({ id, policy, started_at: at, started_by: actor, ended_at: null })
      .execute();
    const subject = { kind: 'policy', id: policy } as const;
    await appendAudit(transaction, { actor, action: 'policy.applied', subject, at, detail: `application ${id}` });
    return id;
  });
}
