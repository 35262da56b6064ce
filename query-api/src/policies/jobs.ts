import { setImmediate } from 'node:timers/promises';
import type { PolicyId } from '../../contract/index.ts';
import { changeKeys } from '../registry/change-keys.ts';
import type { RegistryDatabase, RegistryTransaction } from '../registry/database.ts';
import type { Job, JobRun } from '../schedule/job.ts';
import { endCollection, isStale, leadOf, readOpenCollections } from './collections.ts';
import { readFacts } from './facts.ts';
import type { PolicyParts } from './facts.ts';
import { writeNotices } from './notices.ts';
import type { NewNotice } from './notices.ts';
import { isOffSomewhere, policiesInForce, readPolicies } from './settings.ts';
import { sweepKeys } from './sweep.ts';
import { NOTICE_KINDS, noticesFor, notOvertaken, WARNING_POLICIES } from './warn.ts';

const ROWS_PER_ACT = 200;
/** Who a change by a job is told of as. */
const ACTOR = 'lanewatch';

/** The recurring work of policies. */
export function policyJobs(parts: PolicyParts): Job[] {
  return [
    {
      id: 'policies.rotate',
      title: 'Offer replacements',
      does: 'Opens a collection for the owner of each key whose secret is older than auto-rotation allows.',
      schedule: '*/5 * * * *',
      run: (run) => enforce(parts, run, ['auto_rotation']),
    },
    {
      id: 'policies.collections',
      title: 'Watch collections',
      does: 'Warns before the last date of a collection, ends keys whose last date has passed, and withdraws what has no point any more.',
      schedule: '*/5 * * * *',
      run: (run) => watchCollections(parts, run),
    },
    {
      id: 'policies.enforce',
      title: 'Enforce policies',
      does: 'Changes keys that break a policy which is enforced.',
      schedule: '7 * * * *',
      run: (run) => enforce(parts, run, ['maximum_lifetime', 'ip_locking', 'mfa_for_execute']),
    },
    {
      id: 'policies.notices',
      title: 'Raise notices',
      does: 'Tells once each of keys that are about to end, are idle, or have a severe finding.',
      schedule: '11 * * * *',
      run: (run) => raiseNotices(parts, run),
    },
    {
      id: 'policies.apply',
      title: 'Apply policies',
      does: 'Goes on with policies that somebody applied by hand.',
      schedule: '*/5 * * * *',
      run: (run) => applyByHand(parts, run),
    },
  ];
}

/** Cursor: id of the policy, a space, id of the last key. */
async function enforce(parts: PolicyParts, run: JobRun, ids: readonly PolicyId[]): Promise<string> {
  const [at = '', afterId = ''] = (run.cursor ?? '').split(' ');
  const enforced = policiesInForce(await readPolicies(parts.db), 'enforce');
  let changed = 0;
  for (const id of ids.slice(
    Math.max(
      0,
      ids.findIndex((one) => one === at),
    ),
  )) {
    if (!enforced.includes(id)) continue;
    const sweep = { id, modes: ['enforce'] as const, isUnattended: true, actor: ACTOR, cursorPrefix: `${id} ` };
    changed += (await sweepKeys(parts, run, sweep, id === at ? afterId : '')).changed;
  }
  return `Keys changed: ${changed}.`;
}

/** Applications go on where their own keys stood; the order of the list is that in which they were begun. */
async function applyByHand(parts: PolicyParts, run: JobRun): Promise<string> {
  const { db, now } = parts;
  const [at = '', afterId = ''] = (run.cursor ?? '').split(' ');
  const open = await db
    .selectFrom('policy_applications')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .orderBy('id')
    .execute();
  for (const application of open) {
    const { id, policy, started_by: actor } = application;
    await sweepKeys(
      parts,
      run,
      {
        ...{ id: policy, modes: ['watch', 'enforce'], isUnattended: false, actor, cursorPrefix: `${id} ` },
        async onPart(transaction, { changed, skipped }) {
          await transaction
            .updateTable('policy_applications')
            .set(({ eb }) => ({ changed: eb('changed', '+', changed), skipped: eb('skipped', '+', skipped) }))
            .where('id', '=', id)
            .execute();
        },
      },
      id === at ? afterId : '',
    );
    await run.act(async (transaction) => {
      await transaction
        .updateTable('policy_applications')
        .set({ ended_at: new Date(now()) })
        .where('id', '=', id)
        .execute();
      return 'between';
    });
  }
  return `Policies applied: ${open.length}.`;
}

/** Cursor: id of the last key. */
async function raiseNotices(parts: PolicyParts, run: JobRun): Promise<string> {
  const { db, registry, now } = parts;
  const set = await readPolicies(db);
  const facts = await readFacts(parts);
  const kinds = WARNING_POLICIES.flatMap((id) => NOTICE_KINDS[id] ?? []);
  const rows = (await registry.current()).all
    .filter(({ id }) => id > (run.cursor ?? ''))
    .sort((one, other) => (one.id < other.id ? -1 : 1));
  let raised = 0;
  for (let from = 0; from < rows.length; from += ROWS_PER_ACT) {
    await setImmediate();
    const batch = rows.slice(from, from + ROWS_PER_ACT);
    const wanted = batch.flatMap((row) => noticesFor(row, { set, facts, nowMs: now() }));
    if (wanted.length === 0) continue;
    const subjects = [...new Set(wanted.map(({ subject }) => subject))];
    const isMade = db.selectFrom('notices').selectAll().where('subject', 'in', subjects).where('kind', 'in', kinds);
    const fresh = notOvertaken(wanted, await isMade.execute());
    if (fresh.length === 0) continue;
    await run.act(async (transaction) => {
      raised += await writeNotices(transaction, fresh, new Date(now()));
      return batch.at(-1)!.id;
    });
  }
  return `Notices raised: ${raised}.`;
}

/** Cursor: id of the last collection. */
async function watchCollections(parts: PolicyParts, run: JobRun): Promise<string> {
  const { db, now } = parts;
  const counts = { ended: 0, withdrawn: 0 };
  /** Where it is off for some project all are looked at: SQL does not know which. */
  const next = async (at: RegistryDatabase | RegistryTransaction = db) => ({
    ...{ afterId: run.cursor ?? '', limit: ROWS_PER_ACT },
    attentionAt: isOffSomewhere(await readPolicies(at), 'auto_rotation') ? null : new Date(now()),
  });
  for (;;) {
    const batch = await readOpenCollections(db, await next());
    if (batch.length === 0) break;
    await run.act(async (transaction) => {
      const at = new Date(now());
      const ids = batch.map(({ credential_id: id }) => id);
      const keys = new Map(
        (await transaction.selectFrom('credentials').selectAll().where('id', 'in', ids).execute()).map((row) => [
          row.id,
          row,
        ]),
      );
      const set = await readPolicies(transaction);
      const warnings = await transaction
        .selectFrom('notices')
        .select(['key', 'at'])
        .where('kind', '=', 'rotation.last_warning')
        .where('subject', 'in', ids)
        .execute();
      const warnedAt = new Map(warnings.map((notice) => [notice.key, notice.at.getTime()]));
      const notices: NewNotice[] = [];
      const still = await readOpenCollections(transaction, await next(transaction));
      for (const collection of still.filter(({ id }) => id <= batch.at(-1)!.id)) {
        const key = keys.get(collection.credential_id);
        if (key === undefined) continue;
        const tell = (kind: string, text: string): void =>
          void notices.push({ kind, subject: key.id, threshold: '', key: collection.id, text: `${key.name}: ${text}` });
        if (isStale(collection, key, at.getTime()) || set.of('auto_rotation', key.project).mode === 'off') {
          await endCollection(transaction, collection, { status: 'withdrawn', actor: ACTOR, at });
          counts.withdrawn++;
          continue;
        }
        const last = collection.last_date.toISOString();
        tell('rotation.offered', `A new secret waits for its owner until ${last}.`);
        const leadMs = leadOf(collection);
        if (at.getTime() < collection.last_date.getTime() - leadMs) continue;
        tell('rotation.last_warning', `Its new secret was not collected. The key ends at ${last}.`);
        const warnedMs = warnedAt.get(collection.id) ?? at.getTime();
        // A clock that jumped ahead must not end a key of whose end nobody was warned.
        if (at.getTime() < Math.max(collection.last_date.getTime(), warnedMs + leadMs)) continue;
        const detail = `Its new secret was not collected by ${last}.`;
        await changeKeys(transaction, [{ row: key, fields: { expires_at: at }, detail }], { actor: ACTOR, at });
        await endCollection(transaction, collection, { status: 'missed', actor: ACTOR, at });
        tell('rotation.missed', `It ended, because its new secret was not collected.`);
        counts.ended++;
      }
      await writeNotices(transaction, notices, at);
      return batch.at(-1)!.id;
    });
  }
  return `Keys ended: ${counts.ended}; collections withdrawn: ${counts.withdrawn}.`;
}
