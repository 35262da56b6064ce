import type { z } from 'zod';
import type {
  Directory,
  directoryCreateSchema,
  directoryEditSchema,
  DirectoryItem,
  DirectoryKind,
} from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { changesOf } from '../audit/changes.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from './database.ts';
import { refuseErrors, refuseRawKeys, textErrors } from './fields.ts';
import { statusAt } from './record.ts';
import type { CredentialRow } from './record.ts';
import { change } from './registry.ts';
import { renameEverywhere } from './rename.ts';
import type { RegistrySnapshot } from './view.ts';

/** The name of that kind on a key; '' when it names none. */
function nameOn(row: CredentialRow, kind: DirectoryKind): string {
  if (kind === 'project') return row.project;
  if (kind === 'team') return row.team;
  return row.owner_kind === 'service_account' ? row.owner : '';
}

/** All projects, teams or service accounts: those that were made, and those that keys only name. By name. */
export async function readDirectory(
  db: RegistryDatabase,
  snapshot: RegistrySnapshot,
  kind: DirectoryKind,
  nowMs: number,
): Promise<Directory> {
  const items = new Map<string, DirectoryItem>();
  for (const row of await db.selectFrom('directory').selectAll().where('kind', '=', kind).execute()) {
    items.set(row.name, {
      name: row.name,
      description: row.description,
      owner: row.owner,
      created_at: row.created_at.toISOString(),
      created_by: row.created_by,
      archived_at: row.archived_at?.toISOString() ?? null,
      ...{ keys: 0, keys_active: 0 },
    });
  }
  for (const row of snapshot.all) {
    const name = nameOn(row, kind);
    if (name === '') continue;
    const unmade = { name, description: '', owner: '', created_at: null, created_by: '', archived_at: null };
    const item = items.get(name) ?? { ...unmade, keys: 0, keys_active: 0 };
    items.set(name, item);
    item.keys++;
    if (statusAt(row, nowMs) === 'active') item.keys_active++;
  }
  return { items: [...items.values()].sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

export async function isListed(db: RegistryDatabase, kind: DirectoryKind, name: string): Promise<boolean> {
  const row = await db
    .selectFrom('directory')
    .select('name')
    .where('kind', '=', kind)
    .where('name', '=', name)
    .where('archived_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** @throws {ProblemError} `conflict` when there is one of this name; `validation` for a service account without an owner */
export function addToDirectory(
  db: RegistryDatabase,
  kind: DirectoryKind,
  input: z.output<typeof directoryCreateSchema>,
  by: { actor: string; nowMs: number },
): Promise<void> {
  refuseUnusable(input);
  if (kind === 'service_account' && input.owner === '') {
    throw fieldProblem('owner', 'is needed: a person answers for a service account');
  }
  const at = new Date(by.nowMs);
  return change(db, async (transaction) => {
    const there = await transaction
      .selectFrom('directory')
      .select('name')
      .where('kind', '=', kind)
      .where('name', '=', input.name)
      .executeTakeFirst();
    if (there !== undefined) throw new ProblemError('conflict', 'There is one of this name already.');
    const row = { kind, ...input, created_at: at, created_by: by.actor, archived_at: null };
    await transaction.insertInto('directory').values(row).execute();
    await appendAudit(transaction, {
      ...{ actor: by.actor, action: `${kind}.made`, at, subject: { kind, id: input.name } },
      changes: (['owner', 'description'] as const).map((field) => ({ field, before: '', after: input[field] })),
    });
  });
}

/**
 * Changes one. With another name, whatever names it follows in the same change.
 * @returns id of the last outbox row when keys follow, else 0
 * @throws {ProblemError} `not_found`; `conflict` when the new name is another's
 */
export function editInDirectory(
  db: RegistryDatabase,
  kind: DirectoryKind,
  name: string,
  input: z.output<typeof directoryEditSchema>,
  by: { actor: string; nowMs: number },
): Promise<number> {
  refuseUnusable(input);
  const at = new Date(by.nowMs);
  return change(db, async (transaction) => {
    const before = await transaction
      .selectFrom('directory')
      .selectAll()
      .where('kind', '=', kind)
      .where('name', '=', name)
      .executeTakeFirst();
    if (before === undefined) throw new ProblemError('not_found', 'There is none of this name. Make it first.');
    const { archived, name: renamed = name, owner = before.owner, description = before.description } = input;
    if (kind === 'service_account' && owner === '') {
      throw fieldProblem('owner', 'is needed: a person answers for a service account');
    }
    const archivedAt = archived === undefined ? before.archived_at : archived ? (before.archived_at ?? at) : null;
    const after = { name: renamed, owner, description, archived_at: archivedAt };
    const outboxId =
      renamed === name
        ? 0
        : await renameEverywhere(transaction, kind, { from: name, to: renamed }, { actor: by.actor, at });
    await transaction.updateTable('directory').set(after).where('kind', '=', kind).where('name', '=', name).execute();
    const changes = changesOf(['name', 'owner', 'description', 'archived_at'], before, after);
    const subject = { kind, id: renamed };
    await appendAudit(transaction, { actor: by.actor, action: `${kind}.edited`, at, subject, changes });
    return outboxId;
  });
}

function refuseUnusable(input: object): void {
  refuseRawKeys(input);
  refuseErrors(textErrors(input));
}
