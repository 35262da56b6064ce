import { z } from 'zod';
import { instantSchema, SEVERITIES } from './common.ts';

const parameterValue = z.union([z.string().max(200), z.number(), z.boolean()]);
const names = z.array(z.string().trim().min(1).max(256)).max(100);
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
export const RULE_MODES = ['monitor', 'notify'] as const;

export const ruleSettingsShape = {
  enabled: z.boolean(),
  mode: z.enum(RULE_MODES).describe('monitor keeps findings, notify tells people as well'),
  severity: z.enum([...SEVERITIES, '']).describe('Of its findings; empty leaves it to the rule'),
  parameters: z.record(z.string(), parameterValue).describe('Those that are not the catalogue’s'),
  orgs: names.describe('Organisations it holds for; an empty list is all'),
  projects: names.describe('The same of projects'),
  environments: names.describe('The same of environments'),
  suppress_by: z
    .array(z.enum(SUPPRESS_FIELDS))
    .max(3)
    .describe('Of findings that agree in these, people are told once within suppress_ms; none tells of each'),
  suppress_ms: z
    .number()
    .int()
    .min(60_000)
    .max(7 * 86_400_000),
};

export const ruleParameterSchema = z.object({
  name: z.string(),
  description: z.string(),
  unit: z.string(),
  default: parameterValue,
  value: parameterValue,
  minimum: z.number().nullable(),
  settable: z.boolean().describe('false: takes RULE_PARAMETERS and a new start of the detectors'),
});

/** A rule in words, as it is set, and how it did. */
export const ruleItemSchema = z.object({
  id: z.string(),
  title: z.string(),
  condition: z.string(),
  severities: z.array(z.enum(SEVERITIES)),
  decided_by: z.enum(['stream', 'job']),
  tried_over: z
    .enum(['events', 'now', 'nothing'])
    .describe(
      'What a backtest holds it against: stored events, registry and ledger as they are now, or nothing that is kept',
    ),
  runbook: z.array(z.string()),
  ...ruleSettingsShape,
  parameters: z.array(ruleParameterSchema),
  version: z.number().int().describe('0: as the catalogue says'),
  set_at: instantSchema.nullable(),
  set_by: z.string(),
  effective_from: instantSchema.nullable().describe('Events received from then on are held against it'),
  published: z.boolean().describe('Whether the bus has it'),
  findings: z.number().int().describe('Of the last 30 days'),
  resolved: z.number().int().describe('Of these, resolved by people'),
  resolved_false: z.number().int().describe('Of these, as false'),
});
export type RuleItem = z.infer<typeof ruleItemSchema>;

export const rulesSchema = z.object({ items: z.array(ruleItemSchema) });

/** `PATCH /v1/rules/{id}`: what is left out stays. */
export const rulePatchSchema = z
  .object(ruleSettingsShape)
  .partial()
  .extend({
    version: z.number().int().min(0).describe('The version that the change was made on; another one answers 409'),
  })
  .meta({ examples: [{ parameters: { idle_days: 60 }, mode: 'monitor', version: 0 }] });
export type RulePatch = z.input<typeof rulePatchSchema>;
