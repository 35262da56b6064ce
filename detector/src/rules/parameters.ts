import { z } from 'zod';
import { parameterSchema, RULE_CATALOGUE, type RuleId, type RuleParameter } from '../../contract/index.ts';

/** Values of a rule's parameters by name. */
export type ParameterValues = Record<string, RuleParameter['default']>;
/** What the operator set otherwise than the catalogue. */
export type RuleOverrides = Partial<Record<RuleId, ParameterValues>>;

/** The catalogue's defaults of a rule, overridden where the operator set something else. */
export function parametersOf(id: RuleId, overrides: ParameterValues = {}): ParameterValues {
  const parameters: ParameterValues = {};
  for (const { name, default: value } of parametersDescribed(id)) parameters[name] = overrides[name] ?? value;
  return parameters;
}

/** Overrides as JSON text, such as `{"R05": {"window_ms": 43200000}}`: only what the catalogue has, of its type and within its bounds. */
export const ruleOverridesSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('must be JSON, such as {"R05": {"window_ms": 43200000}}');
      return z.NEVER;
    }
  })
  .pipe(
    objectOf(
      RULE_CATALOGUE.map(({ id }) => [
        id,
        objectOf(parametersDescribed(id).map((parameter) => [parameter.name, parameterSchema(parameter)])),
      ]),
    ),
  )
  // The names are the catalogue's, which a schema made from it can't tell the compiler.
  .transform((overrides) => overrides as RuleOverrides);

function parametersDescribed(id: RuleId): readonly RuleParameter[] {
  return RULE_CATALOGUE.find((rule) => rule.id === id)?.parameters ?? [];
}

/** An object with these keys, all optional, and no others. */
function objectOf(entries: readonly (readonly [string, z.ZodType])[]) {
  const names = entries.map(([name]) => name);
  return z.strictObject(Object.fromEntries(entries.map(([name, schema]) => [name, schema.optional()])), {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `there is no ${(issue.keys as string[]).join(', ')} here, only ${names.join(', ') || 'nothing to set'}`
        : undefined,
  });
}
