import {
  parameterSchema,
  ruleSettingsSchema,
  settableParameters,
  SUPPRESS_MS_DEFAULT,
} from '@lanewatch/detector/contract';
import type { RuleSettings } from '@lanewatch/detector/contract';
import type { z } from 'zod';
import type { rulePatchSchema } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { changesOf } from '../audit/changes.ts';
import { ProblemError } from '../http/problem.ts';
import type { FieldError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { change } from '../registry/registry.ts';
import { readSettings, ruleOf } from './read-rules.ts';

/** From saving until events are held against it: in that time every detector has it. */
export const EFFECTIVE_IN_MS = 10_000;
const SET_FIELDS = [
  ...(['enabled', 'mode', 'severity', 'parameters', 'orgs', 'projects', 'environments'] as const),
  ...(['suppress_by', 'suppress_ms'] as const),
];

const NOT_SUPPRESSED = { suppress_by: [], suppress_ms: SUPPRESS_MS_DEFAULT };

/**
 * Sets a rule, as its next version.
 * @throws {ProblemError} `not_found`; `validation`; `conflict` when somebody set it since
 */
export async function setRule(
  db: RegistryDatabase,
  { id, input, actor, nowMs }: { id: string; input: z.output<typeof rulePatchSchema>; actor: string; nowMs: number },
): Promise<void> {
  ruleOf(id);
  const { version, ...fields } = input;
  await change(db, async (transaction) => {
    const before = (await readSettings(transaction, id)).get(id)?.settings ?? unset(id);
    if (before.version !== version)
      throw new ProblemError('conflict', 'Somebody set this rule since. Look at it again and repeat the change.', [
        { path: 'version', message: `is ${before.version} now` },
      ]);
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const effectiveMs = Math.max(nowMs + EFFECTIVE_IN_MS, Date.parse(before.effective_from) + 1);
    const merged = { ...before, ...given };
    const after: RuleSettings = ruleSettingsSchema.parse({
      ...merged,
      parameters: checkedParameters(id, merged.parameters),
      version: version + 1,
      effective_from: new Date(effectiveMs).toISOString(),
    });
    await transaction
      .insertInto('rule_settings')
      .values({
        ...{ rule: id, version: after.version, settings: JSON.stringify(after), set_by: actor, sent_at: null },
        effective_from: new Date(effectiveMs),
        set_at: new Date(nowMs),
      })
      .execute();
    await appendAudit(transaction, {
      ...{ at: new Date(nowMs), actor, action: 'rule.set', subject: { kind: 'rule', id } },
      changes: changesOf(SET_FIELDS, { ...NOT_SUPPRESSED, ...before }, { ...NOT_SUPPRESSED, ...after }),
    });
  });
}

/** A rule as its catalogue says. */
export function unset(rule: string): RuleSettings {
  return {
    ...{ rule, version: 0, effective_from: new Date(0).toISOString() },
    ...{ enabled: true, mode: 'notify', severity: '', parameters: {}, orgs: [], projects: [], environments: [] },
  };
}

/** Parameters that are other than the catalogue's, each of its type and within its bounds. */
export function checkedParameters(id: string, given: Record<string, unknown>): RuleSettings['parameters'] {
  const settable = settableParameters(ruleOf(id).id);
  const errors: FieldError[] = [];
  const checked: RuleSettings['parameters'] = {};
  for (const [name, value] of Object.entries(given)) {
    const parameter = settable.find((other) => other.name === name);
    const path = `parameters.${name.slice(0, 64)}`;
    if (parameter === undefined) {
      const names = settable.map((other) => other.name).join(', ');
      errors.push({ path, message: `can’t be set here, only ${names || 'nothing'}` });
      continue;
    }
    const parsed = parameterSchema(parameter).safeParse(value);
    if (!parsed.success)
      errors.push({ path, message: `is wrong: ${parsed.error.issues[0]?.message ?? 'another type'}` });
    else if (parsed.data !== parameter.default) checked[name] = parsed.data as RuleSettings['parameters'][string];
  }
  if (errors.length > 0) throw new ProblemError('validation', `${errors[0]!.path} ${errors[0]!.message}`, errors);
  return checked;
}
