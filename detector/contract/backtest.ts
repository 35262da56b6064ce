import { z } from 'zod';
import { findingSchema, SEVERITIES } from './finding.ts';
import { ruleSettingsSchema } from './rule-settings.ts';

/** Table with the state of each backtest, in the ledger's database; read it with FINAL. */
export const BACKTESTS_TABLE = 'backtests';
/** Findings told of each kind at most; of more the number is told. */
export const BACKTEST_FINDINGS_MAX = 100;
/** Rules that nothing stored can be held against: how the registry was at each moment is not kept, nor is each minute's silence. */
export const NOT_TRIED: ReadonlySet<string> = new Set(['R23', 'R27']);
/** Nobody takes up what was asked for longer ago. */
export const BACKTEST_PATIENCE_MS = 120_000;

/**
 * Asks the detectors to hold stored events against a rule that is set otherwise than it is, or to stop that. Key on the topic: the id.
 * query-api → detector.
 */
export const backtestRequestSchema = z.object({
  id: z.string().min(1).max(64),
  requested_at: z.iso.datetime(),
  cancelled: z.boolean(),
  /** The rule as it would be set; version and `effective_from` say nothing. */
  settings: ruleSettingsSchema,
  /** As it is set; null where the catalogue decides. */
  present: ruleSettingsSchema.nullable(),
  /** Findings with an occurrence in this time count, by the events' own time bounded by receipt. */
  from: z.iso.datetime(),
  to: z.iso.datetime(),
});
export type BacktestRequest = z.infer<typeof backtestRequestSchema>;

export const BACKTEST_STATES = ['running', 'done', 'failed', 'cancelled'] as const;
export type BacktestState = (typeof BACKTEST_STATES)[number];

const countsSchema = z.object({
  findings: z.number().int(),
  occurrences: z.number().int(),
  by_severity: z.record(z.enum(SEVERITIES), z.number().int()),
});
export type BacktestCounts = z.infer<typeof countsSchema>;

/** What a rule would have found, beside what it finds as it is set: both over the same events, by the same code. */
export const backtestResultSchema = z.object({
  tried: countsSchema,
  present: countsSchema,
  /** Found either way, and of these at another severity. */
  both: z.number().int(),
  other_severity: z.number().int(),
  /** Found by the tried settings alone, and by the present ones alone: gravest first, the first of them. */
  more: z.array(findingSchema),
  more_count: z.number().int(),
  fewer: z.array(findingSchema),
  fewer_count: z.number().int(),
});
export type BacktestResult = z.infer<typeof backtestResultSchema>;
