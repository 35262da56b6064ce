import { z } from 'zod';
import { instantSchema, SEVERITIES } from './common.ts';
import { ruleSettingsShape } from './rules.ts';

export const BACKTEST_STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;

const { mode: _mode, suppress_by: _by, suppress_ms: _ms, ...triedShape } = ruleSettingsShape;

/** `POST /v1/rules/{id}/backtest`: what is left out is as the rule is set. */
export const backtestCreateSchema = z
  .object(triedShape)
  .partial()
  .extend({ days: z.number().int().min(1).max(90).default(30).describe('Looked back so far') })
  .meta({ examples: [{ parameters: { events: 40 }, days: 30 }] });
export type BacktestCreate = z.input<typeof backtestCreateSchema>;

export const backtestMadeSchema = z.object({ id: z.string() });

const countsSchema = z.object({
  findings: z.number().int(),
  occurrences: z.number().int().describe('Events that they are made of'),
  by_severity: z.record(z.enum(SEVERITIES), z.number().int()),
});

const foundSchema = z.object({
  id: z.string(),
  lane: z.string(),
  hint: z.string(),
  org: z.string(),
  severity: z.enum(SEVERITIES),
  sentence: z.string(),
  first_seen: instantSchema,
  last_seen: instantSchema,
  occurrences: z.number().int(),
});
export type BacktestFound = z.infer<typeof foundSchema>;

/** `GET /v1/backtests/{id}`: what a rule would have found with other settings, beside what it finds with its own over the same events. */
export const backtestSchema = z.object({
  id: z.string(),
  state: z.enum(BACKTEST_STATES),
  rule: z.string().describe('Empty while it waits'),
  from: instantSchema.nullable(),
  to: instantSchema.nullable(),
  tried: z.object(triedShape).nullable().describe('The settings that were tried'),
  rows_done: z.number().int(),
  rows_total: z.number().int(),
  took_ms: z.number().int(),
  problem: z.string(),
  result: z
    .object({
      tried: countsSchema,
      present: countsSchema,
      both: z.number().int(),
      other_severity: z.number().int(),
      more: z.array(foundSchema).describe('Found by the tried settings alone, gravest first, the first hundred'),
      more_count: z.number().int(),
      fewer: z.array(foundSchema).describe('Found by the present settings alone'),
      fewer_count: z.number().int(),
    })
    .nullable(),
});
export type Backtest = z.infer<typeof backtestSchema>;
