import { z } from 'zod';
import { givenTimeSchema, instantSchema, WINDOW_DEFAULT, windowSchema } from './common.ts';

/**
 * What is counted of the use of keys; each is a filter of the ledger. executions: action execution. failed_authentications: outcome denied,
 * which 401 and 403 are. agent_calls: calls that name the agent behind them.
 */
export const USAGE_MEASURES = ['calls', 'executions', 'failed_authentications', 'agent_calls'] as const;
export type UsageMeasure = (typeof USAGE_MEASURES)[number];

/** What it is told apart by. */
export const USAGE_DIMENSIONS = ['lane', 'module', 'agent'] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

/** `GET /v1/usage`: the whole window, or the time between two instants, `to` exclusive. */
export const usageQuerySchema = z.object({
  window: windowSchema.default(WINDOW_DEFAULT),
  from: givenTimeSchema.optional(),
  to: givenTimeSchema.optional(),
  module: z.string().max(200).optional(),
  environment: z.string().max(64).optional(),
});
export type UsageQuery = z.output<typeof usageQuerySchema>;

const count = z.number().int();
const ofMeasures = <Value extends z.ZodType>(value: Value) =>
  ({ calls: value, executions: value, failed_authentications: value, agent_calls: value }) satisfies Record<
    UsageMeasure,
    Value
  >;
const stepsSchema = z.object(ofMeasures(z.array(count))).describe('The same by the steps of `starts`');

const breakdownSchema = z.object({
  values: count.describe('Values there are; rows have those with the most calls, executions or failed authentications'),
  rows: z.array(
    z.object({
      value: z.string().describe('Empty for calls that name none'),
      name: z.string().describe('Of a lane: the name of its key, else its hint. Else empty'),
      ...ofMeasures(count),
      steps: stepsSchema,
    }),
  ),
});

export const usageSchema = z.object({
  from: instantSchema,
  to: instantSchema.describe('Exclusive; `/v1/ledger` between the bounds has the rows of every count'),
  is_complete: z.boolean().describe('False where the window has too many rows: `from` is that of a shorter one'),
  step_seconds: count,
  starts: z.array(instantSchema),
  total: z.object({ ...ofMeasures(count), keys: count.describe('Distinct lanes that name a key') }),
  steps: stepsSchema,
  by: z.object({ lane: breakdownSchema, module: breakdownSchema, agent: breakdownSchema }),
});
export type Usage = z.infer<typeof usageSchema>;
