import { RULE_MODES, SEVERITIES, SUPPRESS_FIELDS, type RuleItem, type RulePatch } from '@lanewatch/query-api/contract';

type Values = NonNullable<RulePatch['parameters']>;
type Fault = { path: string; message: string };

/** Name of a parameter's field. */
export const fieldOf = (name: string): string => `parameter.${name}`;

/**
 * What a filled-in form of a rule asks for. Parameters that stand as in the catalogue are left to it.
 * @param rule as it was read for this answer; the form says which version was seen
 */
export function patchOf(form: FormData, rule: RuleItem): { patch: RulePatch; errors: Fault[] } {
  const text = (name: string) => {
    const value = form.get(name);
    return typeof value === 'string' ? value.trim() : '';
  };
  const list = (name: string) =>
    text(name)
      .split(/[\n,]/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  const { parameters, errors } = parametersOf(rule, text, form);
  return {
    patch: {
      enabled: form.get('enabled') === 'on',
      mode: RULE_MODES.find((mode) => mode === text('mode')) ?? rule.mode,
      severity: SEVERITIES.find((severity) => severity === text('severity')) ?? '',
      parameters,
      orgs: list('orgs'),
      projects: list('projects'),
      environments: list('environments'),
      suppress_by: SUPPRESS_FIELDS.filter((field) => form.getAll('suppress_by').includes(field)),
      suppress_ms: Math.round(Number(text('suppress_minutes')) * 60_000),
      version: Number(text('version')),
    },
    errors,
  };
}

function parametersOf(rule: RuleItem, text: (name: string) => string, form: FormData) {
  const parameters: Values = {};
  const errors: Fault[] = [];
  for (const { name, default: usual, settable } of rule.parameters) {
    if (!settable) continue;
    const field = fieldOf(name);
    if (typeof usual === 'boolean') parameters[name] = form.get(field) === 'on';
    else if (typeof usual === 'string') parameters[name] = text(field);
    else if (text(field) === '' || Number.isNaN(Number(text(field))))
      errors.push({ path: `parameters.${name}`, message: 'must be a number' });
    else parameters[name] = Number(text(field));
  }
  return { parameters, errors };
}
