import { z } from 'zod';
import { SEVERITIES } from './finding.ts';
import { RULE_CATALOGUE, type RuleId } from './rule-catalogue.ts';
import type { ParameterUnit, RuleDescription, RuleParameter } from './rule-description.ts';

/** What is done about findings of a rule: they are kept for whoever looks, or people are told as well. */
export const RULE_MODES = ['monitor', 'notify'] as const;
export type RuleMode = (typeof RULE_MODES)[number];

/** What notices may be held together by. */
export const SUPPRESS_FIELDS = [
  'org',
  'credential_id',
  'user',
  'endpoint',
  'agent',
  'repo',
  'model',
  'environment',
] as const;
export type SuppressField = (typeof SUPPRESS_FIELDS)[number];
export const SUPPRESS_FIELDS_MAX = 3;
export const SUPPRESS_MS_DEFAULT = 3_600_000;

const names = z.array(z.string().min(1).max(256)).max(100);

/**
 * One version of how a rule is set, as it travels on the rules topic under the key `<rule>/<version>`: no version replaces another, because
 * each decides the events of its time. query-api → detector.
 */
export const ruleSettingsSchema = z.object({
  rule: z.string().regex(/^R\d\d$/),
  version: z.number().int().min(1),
  /**
   * Events received from then on are held against it: a place in the stream that is the same for every detector and every replay. A few seconds
   * ahead of the change, so that each detector has it before the first of them.
   */
  effective_from: z.iso.datetime(),
  enabled: z.boolean(),
  mode: z.enum(RULE_MODES),
  /** '' leaves the severity to the rule. */
  severity: z.enum([...SEVERITIES, '']),
  /** Other than the catalogue's. */
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Where it holds; an empty list is everywhere. */
  orgs: names,
  projects: names,
  environments: names,
  /** Of findings that agree in these, people are told once within the time; none tells of each. Findings are kept either way. */
  suppress_by: z.array(z.enum(SUPPRESS_FIELDS)).max(SUPPRESS_FIELDS_MAX).optional(),
  suppress_ms: z.number().int().positive().optional(),
});
export type RuleSettings = z.infer<typeof ruleSettingsSchema>;

/** Key on the rules topic. */
export const ruleSettingsKey = ({ rule, version }: Pick<RuleSettings, 'rule' | 'version'>): string =>
  `${rule}/${version}`;

/** Parameters that take a new start of the detectors: its memory of people is made for one window. */
const FIXED: Partial<Record<RuleId, readonly string[]>> = { R05: ['window_ms'] };

/** The rule's parameters that can be changed while detectors run. */
export function settableParameters(id: RuleId): readonly RuleParameter[] {
  const rule: RuleDescription | undefined = RULE_CATALOGUE.find((other) => other.id === id);
  return (rule?.parameters ?? []).filter(({ name }) => FIXED[id]?.includes(name) !== true);
}

/** Units of numbers that come in fractions. */
const FRACTIONS: readonly (ParameterUnit | undefined)[] = ['usd', 'times', 'score'];

/** What a parameter may be set to. */
export function parameterSchema({ unit, default: value, minimum = 0 }: RuleParameter): z.ZodType {
  if (typeof value === 'boolean') return z.boolean();
  if (typeof value === 'string') return z.string().max(200);
  const number = z.number().min(minimum);
  return FRACTIONS.includes(unit) ? number : number.int();
}
