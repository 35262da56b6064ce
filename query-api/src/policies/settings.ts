import type { Selectable } from 'kysely';
import type { z } from 'zod';
import { mayEnforce, POLICY_FACTS, POLICY_IDS, POLICY_SETTINGS } from '../../contract/index.ts';
import type { PolicyId, PolicyMode, policyPutSchema, PolicySettings } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { changesOf } from '../audit/changes.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { refuseErrors } from '../registry/fields.ts';
import { change } from '../registry/registry.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import type { PolicyTables } from './tables.ts';

export type PolicyRow = Selectable<PolicyTables['policies']>;

/** A policy as it holds somewhere. */
export interface Setting {
  mode: PolicyMode;
  settings: PolicySettings;
}

/** Policies as they are set. */
export interface PolicySet {
  /** null: it was never set there. */
  row(id: PolicyId, project?: string): PolicyRow | null;
  overrides(id: PolicyId): PolicyRow[];
  /** As it holds for keys of a project: the project's own, else the organisation's. */
  of(id: PolicyId, project: string): Setting;
}

/** Reads all policies; they are few. */
export async function readPolicies(db: RegistryDatabase | RegistryTransaction): Promise<PolicySet> {
  const rows = await db.selectFrom('policies').selectAll().orderBy('project').execute();
  const byName = new Map(rows.map((row) => [`${row.policy} ${row.project}`, row]));
  const row = (id: PolicyId, project = ''): PolicyRow | null => byName.get(`${id} ${project}`) ?? null;
  return {
    row,
    overrides: (id) => rows.filter(({ policy, project }) => policy === id && project !== ''),
    of: (id, project) => row(id, project) ?? row(id) ?? { mode: 'off', settings: POLICY_FACTS[id].defaults },
  };
}

/**
 * Sets a policy for the organisation or a project.
 * @throws {ProblemError} `validation`; `conflict` when somebody set it since
 */
export function putPolicy(
  db: RegistryDatabase,
  put: { id: PolicyId; input: z.output<typeof policyPutSchema>; actor: string; nowMs: number },
): Promise<void> {
  const { id, input, actor, nowMs } = put;
  const { project, version } = input;
  return change(db, async (transaction) => {
    const set = await readPolicies(transaction);
    const before = set.row(id, project);
    if ((before?.version ?? 0) !== version) {
      throw new ProblemError('conflict', 'Somebody set this policy since. Look at it again and repeat the change.', [
        { path: 'version', message: `is ${before?.version ?? 0} now` },
      ]);
    }
    const where = transaction.deleteFrom('policies').where('policy', '=', id).where('project', '=', project);
    if (input.mode === 'inherit') {
      if (project === '')
        throw fieldProblem('mode', 'inherit is for projects: there is nothing above the organisation');
      await where.execute();
    } else {
      if (input.mode === 'enforce' && !mayEnforce(id)) {
        throw fieldProblem('mode', 'must be off or watch: there is nothing to enforce of this policy');
      }
      const settings = checkedSettings(id, input.settings ?? set.of(id, project).settings);
      const row = {
        mode: input.mode,
        settings: JSON.stringify(settings),
        updated_at: new Date(nowMs),
        updated_by: actor,
      };
      await transaction
        .insertInto('policies')
        .values({ policy: id, project, version: version + 1, ...row })
        .onConflict((conflict) => conflict.columns(['policy', 'project']).doUpdateSet({ version: version + 1, ...row }))
        .execute();
    }
    const after = (await readPolicies(transaction)).row(id, project);
    await appendAudit(transaction, {
      ...{ actor, action: 'policy.set', subject: { kind: 'policy', id }, at: new Date(nowMs) },
      detail: project === '' ? id : `${id} of project ${project}`,
      changes: changesOf(['mode', 'settings'], before, after),
    });
  });
}

function checkedSettings(id: PolicyId, given: PolicySettings): PolicySettings {
  const parsed = POLICY_SETTINGS[id].safeParse(given);
  if (parsed.success) return parsed.data as PolicySettings;
  refuseErrors(
    parsed.error.issues.map(({ path, message }) => ({
      path: ['settings', ...path].join('.'),
      message: `is wrong: ${message}`,
    })),
  );
  throw new Error('a schema that refuses names what it refuses');
}

/** Policies that are not off anywhere. */
export const policiesInForce = (set: PolicySet, mode: PolicyMode): PolicyId[] =>
  POLICY_IDS.filter((id) => [set.row(id), ...set.overrides(id)].some((row) => row?.mode === mode));

/** Whether a policy is off for the organisation or a project. */
export const isOffSomewhere = (set: PolicySet, id: PolicyId): boolean =>
  [set.row(id), ...set.overrides(id)].some((row) => row === null || row.mode === 'off');
