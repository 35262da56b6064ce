import type { Person, Role } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';

/** Everybody with an account, by name; or one of them. */
export async function listPeople(db: RegistryDatabase, id?: string): Promise<Person[]> {
  let query = db
    .selectFrom('users')
    .select(['id', 'name', 'email', 'role', 'banned', 'setup_pending', 'two_factor_enabled', 'created_at'])
    .select(({ selectFrom, exists }) => [
      exists(selectFrom('user_accounts').select('id').whereRef('user_id', '=', 'users.id')).as('has_joined'),
      selectFrom('sessions')
        .select(({ fn }) => fn.max('updated_at').as('at'))
        .whereRef('user_id', '=', 'users.id')
        .as('last_seen_at'),
    ])
    .orderBy('name')
    .orderBy('id');
  if (id !== undefined) query = query.where('id', '=', id);
  return (await query.execute()).map((row) => ({
    id: row.id,
    name: row.name,
    email: row.setup_pending ? '' : row.email,
    role: row.role,
    status: row.banned ? 'disabled' : row.has_joined || row.setup_pending ? 'active' : 'invited',
    totp_enabled: row.two_factor_enabled,
    created_at: row.created_at.toISOString(),
    last_seen_at: row.last_seen_at?.toISOString() ?? null,
  }));
}

/** @throws {ProblemError} `not_found` */
export async function personById(db: RegistryDatabase, id: string): Promise<Person> {
  const [person] = await listPeople(db, id);
  if (person === undefined) throw new ProblemError('not_found', 'Nobody here has this id.');
  return person;
}

/**
 * Gives a role, disables or enables. Whoever is disabled is signed out everywhere.
 * @throws {ProblemError} `not_found`; `conflict` when nobody would be left who can give roles
 */
export function changePerson(
  db: RegistryDatabase,
  id: string,
  change: { role?: Role | undefined; disabled?: boolean | undefined },
  nowMs: number,
): Promise<void> {
  return db.transaction().execute(async (transaction) => {
    // Locked, so that two admins can't take the role from each other at once.
    const admins = await transaction
      .selectFrom('users')
      .select('id')
      .where('role', '=', 'admin')
      .where('banned', '=', false)
      .forUpdate()
      .execute();
    const stays = (change.role ?? 'admin') === 'admin' && change.disabled !== true;
    if (!stays && admins.length === 1 && admins[0]!.id === id) {
      throw new ProblemError('conflict', 'This is the last admin: make somebody else an admin first.');
    }
    const updated = await transaction
      .updateTable('users')
      .set({
        ...(change.role === undefined ? {} : { role: change.role }),
        ...(change.disabled === undefined ? {} : { banned: change.disabled }),
        updated_at: new Date(nowMs),
      })
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst();
    if (updated === undefined) throw new ProblemError('not_found', 'Nobody here has this id.');
    if (change.disabled === true) await transaction.deleteFrom('sessions').where('user_id', '=', id).execute();
  });
}
