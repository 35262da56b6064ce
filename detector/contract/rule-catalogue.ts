import { ACROSS_RULES } from './rules/across.ts';
import { AMOUNT_RULES } from './rules/amounts.ts';
import { HABIT_RULES } from './rules/habits.ts';
import { KEY_RULES } from './rules/keys.ts';

export type RuleId = (typeof KEY_RULES | typeof HABIT_RULES | typeof AMOUNT_RULES | typeof ACROSS_RULES)[number]['id'];

/** Every rule by its number, with the defaults of its parameters. */
export const RULE_CATALOGUE = [...KEY_RULES, ...HABIT_RULES, ...AMOUNT_RULES, ...ACROSS_RULES].sort((left, right) =>
  left.id.localeCompare(right.id),
);
