import type { Backtest, RuleItem } from '@lanewatch/query-api/contract';
import { scopeText } from '../words.ts';

type Tried = NonNullable<Backtest['tried']>;

/**
 * What was tried, in words.
 * @param names of parameters, as people read them
 */
export function triedText(tried: Tried, names: Record<string, string>): string {
  const parameters = Object.entries(tried.parameters).map(([name, value]) => `${names[name] ?? name} ${value}`);
  return [
    ...(tried.enabled ? [] : ['off']),
    ...(parameters.length === 0 ? ['parameters as the catalogue has them'] : parameters),
    ...(tried.severity === '' ? [] : [`always ${tried.severity}`]),
    `for ${scopeText(tried)}`,
  ].join(', ');
}

/** The rule as the form shows it: with what was tried, so that saving saves that. */
export function ruleShown(rule: RuleItem, trial: Backtest | null): RuleItem {
  if (trial === null || trial.tried === null) return rule;
  const { parameters, ...settings } = trial.tried;
  const valueOf = (own: RuleItem['parameters'][number]) =>
    own.settable ? (parameters[own.name] ?? own.default) : own.value;
  return { ...rule, ...settings, parameters: rule.parameters.map((own) => ({ ...own, value: valueOf(own) })) };
}
