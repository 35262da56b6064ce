import { may } from '../../contract/index.ts';
import type { Assignees } from '../../contract/index.ts';
import { fieldProblem } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';

/** Who may triage, by name: findings can be assigned to them. */
export async function readAssignees(db: RegistryDatabase): Promise<Assignees> {
  const rows = await db
    .selectFrom('users')
    .select(['email', 'name', 'role'])
    .where('banned', '=', false)
    .where('setup_pending', '=', false)
    .orderBy('name')
    .orderBy('email')
    .execute();
  return {
    items: rows.filter(({ role }) => may(role, 'findings.triage')).map(({ email, name }) => ({ email, name })),
  };
}

/**
 * Whom an assignment means: `me` is whoever asks, '' nobody.
 * @throws {ProblemError} `validation` for anybody who can't act on findings here
 */
export async function assigneeOf(db: RegistryDatabase, named: string, actor: string): Promise<string> {
  if (named === '' || named === actor) return named;
  if (named === 'me') return actor;
  const { items } = await readAssignees(db);
  const found = items.find(({ email }) => email === named.toLowerCase());
  if (found === undefined)
    throw fieldProblem('assignee', 'must be the e-mail of somebody here who may triage findings');
  return found.email;
}
