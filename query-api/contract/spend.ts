import { z } from 'zod';
import { dollarsSchema, givenTimeSchema, instantSchema, windowSchema, WINDOW_DEFAULT } from './common.ts';
import { valueOfSegment } from './entity-address.ts';
import { SPEND_DIMENSIONS } from './spend-dimensions.ts';

export * from './spend-dimensions.ts';

export const spendDimensionSchema = z.enum(SPEND_DIMENSIONS);

const VALUES_MAX = 50;
const segment = z.string().max(601).transform(valueOfSegment);
const values = z
  .union([segment, z.array(segment).max(VALUES_MAX)])
  .transform((given) => (Array.isArray(given) ? given : [given]))
  .optional()
  .describe('Any of these values; `~` stands for the empty one, and comes before a value that begins with `~`');

/** What spend is asked of: a window, or from one instant to another, and any of the values of a dimension. */
export const spendScopeSchema = z.object({
  window: windowSchema.default(WINDOW_DEFAULT),
  /** Instead of the window: bounds of seen_at, from inclusive, to exclusive. Whole UTC days are answered from roll-ups by day. */
  from: givenTimeSchema.optional(),
  to: givenTimeSchema.optional(),
  ...(Object.fromEntries(SPEND_DIMENSIONS.map((dimension) => [dimension, values])) as Record<
    (typeof SPEND_DIMENSIONS)[number],
    typeof values
  >),
});
export type SpendScope = z.output<typeof spendScopeSchema>;

/** `GET /v1/spend` */
export const spendQuerySchema = spendScopeSchema.extend({ by: spendDimensionSchema.default('lane') });
export type SpendQuery = z.output<typeof spendQuerySchema>;

const tokensSchema = z.object({
  input_uncached: z.number(),
  cache_read: z.number(),
  cache_write: z.number(),
  output: z.number(),
});

/** Where the cost comes from, each apart: what senders reported, what was estimated from list prices, and calls without a price. */
const basisSchema = z.object({
  reported_usd: dollarsSchema,
  estimated_usd: dollarsSchema,
  unpriced_calls: z.number().int(),
});

const sums = {
  cost_usd: dollarsSchema,
  calls: z.number().int(),
  tokens: tokensSchema,
  basis: basisSchema,
  previous_usd: dollarsSchema
    .nullable()
    .describe('In the time of the same length before; null where that would read too many rows'),
};

export const spendRowSchema = z.object({
  /** '' stands for events that name none, or that no registered key matched. */
  value: z.string(),
  /** Of a lane: the name of its key in the registry, else how its events show it. Else ''. */
  name: z.string(),
  /** Of a project, team or owner: registry ids of its keys, which the ledger's rows have; null where it is no filter of the ledger. */
  credential_ids: z.array(z.string()).nullable(),
  /** Part of all cost, from 0 to 1. */
  share: z.number(),
  ...sums,
});
export type SpendRow = z.infer<typeof spendRowSchema>;

const partSchema = z.object({ cost_usd: dollarsSchema, calls: z.number().int() });

export const spendSchema = z.object({
  by: spendDimensionSchema,
  /** What is counted: `/v1/ledger` between these bounds (until `to`, exclusive) has the rows. */
  from: instantSchema,
  to: instantSchema,
  /** False where the whole window has more rows than may be counted: then `from` is that of a shorter one. */
  is_complete: z.boolean(),
  /** What it is compared with, `to` exclusive. */
  previous: z.object({ from: instantSchema, to: instantSchema }),
  total: z.object(sums),
  /** Parts of the total: keys unknown, and events without a key, as they were at the time. */
  unknown: partSchema,
  unattributed: partSchema,
  /** Values with the highest cost, highest first. */
  rows: z.array(spendRowSchema),
  /** All values beyond the rows together; null where there are none. */
  others: z.object({ values: z.number().int(), ...sums }).nullable(),
  /** Cost of the first rows over time; the last series, where it has `value` null, is everything else. */
  series: z.object({
    step_seconds: z.number().int(),
    starts: z.array(instantSchema),
    values: z.array(z.object({ value: z.string().nullable(), cost_usd: z.array(dollarsSchema) })),
  }),
});
export type Spend = z.infer<typeof spendSchema>;

/** `GET /v1/spend/forecast`: the filters of spend, without its window. */
export const spendForecastQuerySchema = spendScopeSchema.omit({ window: true, from: true, to: true });
export const spendForecastSchema = z.object({
  /** First day of the month, UTC. */
  month: z.iso.date(),
  spent_usd: dollarsSchema,
  /** What the whole month will cost; null without a full week of spend before today. */
  forecast_usd: dollarsSchema.nullable(),
  /** Weeks that it is made of: 1, 2 or 4. */
  weeks: z.number().int(),
  /** Each day of the month with what was spent by its end (null for days to come), and is expected to be (null for days past). */
  days: z.array(
    z.object({ day: z.iso.date(), spent_usd: dollarsSchema.nullable(), expected_usd: dollarsSchema.nullable() }),
  ),
  /** Monthly budgets of the keys that the filters name; null where these name no project, team, owner or key, or none has a budget. */
  budget_usd: dollarsSchema.nullable(),
  /** The same forecast made on the same day of earlier months, and what they cost in the end. */
  past: z.array(
    z.object({
      month: z.iso.date(),
      forecast_usd: dollarsSchema,
      actual_usd: dollarsSchema,
      /** Forecast less actual, as a part of the actual. */
      error: z.number(),
    }),
  ),
  /** How it is made, in a sentence. */
  method: z.string(),
});
export type SpendForecast = z.infer<typeof spendForecastSchema>;

const budgetLine = {
  period: z.enum(['day', 'week', 'month']),
  budget_usd: dollarsSchema,
  used_usd: dollarsSchema,
  /** Part used, 1 for all of it. */
  share: z.number(),
  from: instantSchema,
};
/** `GET /v1/spend/budgets`: the present period of every budget. */
export const spendBudgetsSchema = z.object({
  keys: z.array(z.object({ id: z.string(), name: z.string(), project: z.string(), owner: z.string(), ...budgetLine })),
  /** Budgets of a project's keys together, and what these used. */
  projects: z.array(z.object({ project: z.string(), keys: z.number().int(), ...budgetLine })),
});
export type SpendBudgets = z.infer<typeof spendBudgetsSchema>;

/** `GET /v1/spend/savings` */
export const spendSavingsQuerySchema = spendScopeSchema.extend({
  /** Model whose list prices the others are compared with; by default the cheapest of those in use. */
  switch_to: z.string().max(200).optional(),
});
export type SpendSavingsQuery = z.output<typeof spendSavingsQuerySchema>;

export const spendSavingsSchema = z.object({
  from: instantSchema,
  to: instantSchema,
  is_complete: z.boolean(),
  /** Package and version of the price list. */
  price_list: z.string(),
  switch_to: z.string(),
  /** Part of uncached input that `cacheable_usd` takes to be repeated. */
  cacheable_share: z.number(),
  models: z.array(
    z.object({
      model: z.string(),
      provider: z.string(),
      calls: z.number().int(),
      cost_usd: dollarsSchema,
      /** Its tokens by today's list prices; null where the list has none. */
      list_usd: dollarsSchema.nullable(),
      /** The same tokens by those of `switch_to`, and what that saves of `list_usd`; negative where it costs more. */
      switched_usd: dollarsSchema.nullable(),
      switch_saves_usd: dollarsSchema.nullable(),
      /** What its cache saved: reads at the lower price, less the surcharge of writes. */
      cache_saved_usd: dollarsSchema.nullable(),
      /** What a cache would save if it held `cacheable_share` of the input that is uncached now. */
      cacheable_usd: dollarsSchema.nullable(),
    }),
  ),
});
export type SpendSavings = z.infer<typeof spendSavingsSchema>;
