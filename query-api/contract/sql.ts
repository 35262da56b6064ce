import { z } from 'zod';

/** Longest SQL text, in UTF-16 units. */
export const SQL_CHARS_MAX = 100_000;
/** Rows that an answer to a page holds; files have no such limit. */
export const SQL_ROWS_MAX = 10_000;
export const SQL_ROWS_DEFAULT = 1_000;
const PARAMETERS_MAX = 50;
const TITLE_CHARS_MAX = 120;

const parameterName = z.string().regex(/^[A-Za-z_]\w{0,63}$/, 'must be a name of letters, digits and underscores');
const parametersSchema = z
  .record(parameterName, z.union([z.string().max(10_000), z.number(), z.boolean()]))
  .refine((values) => Object.keys(values).length <= PARAMETERS_MAX, `must be ${PARAMETERS_MAX} at most`);

const sqlText = z
  .string({ error: 'must be a text: one statement of SQL' })
  .trim()
  .min(1, 'is empty: write a query, such as SELECT count() FROM usage')
  .max(SQL_CHARS_MAX)
  .refine((text) => !text.includes('\0'), 'holds a NUL character: write it as char(0)');

/** `POST /v1/sql`. */
export const sqlRequestSchema = z.object({
  sql: sqlText.describe('One statement that reads, in ClickHouse’s SQL'),
  parameters: parametersSchema.default({}).describe('Values of {name:Type} in the text'),
  max_rows: z
    .number()
    .int()
    .min(1)
    .max(SQL_ROWS_MAX)
    .default(SQL_ROWS_DEFAULT)
    .describe('Rows of a JSON answer; more are left off and `truncated` says so. Of other forms all rows come.'),
});
export type SqlRequest = z.infer<typeof sqlRequestSchema>;

export const sqlColumnSchema = z.object({ name: z.string(), type: z.string() });
export type SqlColumn = z.infer<typeof sqlColumnSchema>;

export const sqlStatisticsSchema = z.object({
  elapsed_ms: z.number(),
  rows_read: z.number(),
  bytes_read: z.number(),
});
export type SqlStatistics = z.infer<typeof sqlStatisticsSchema>;

export const sqlResultSchema = z.object({
  columns: z.array(sqlColumnSchema),
  /** Numbers beyond 2^53 and decimals are texts. */
  rows: z.array(z.array(z.unknown())),
  truncated: z.boolean(),
  statistics: sqlStatisticsSchema,
});
export type SqlResult = z.infer<typeof sqlResultSchema>;

/** What a page is told while a query runs, one JSON per server-sent event. */
export type SqlProgress =
  | { kind: 'progress'; rows_read: number; rows_total: number; bytes_read: number; elapsed_ms: number }
  | ({ kind: 'result' } & SqlResult)
  | { kind: 'problem'; detail: string; errors: { path: string; message: string }[] };

/** `POST /v1/sql/estimate`: what a query would cost, without running it. */
export const sqlEstimateRequestSchema = sqlRequestSchema.omit({ max_rows: true });
export const sqlEstimateSchema = z.object({
  rows: z.number().nullable().describe('Rows that it reads at most; null where the engine can’t say'),
  seconds: z.number().nullable().describe('About how long it takes, by how fast queries ran here before'),
  seconds_max: z.number().describe('After which it is ended'),
});
export type SqlEstimate = z.infer<typeof sqlEstimateSchema>;

/** `GET /v1/sql/values`: values that columns have, the most frequent first, to choose from. */
export const sqlValuesSchema = z.object({ columns: z.record(z.string(), z.array(z.string())) });
export type SqlValues = z.infer<typeof sqlValuesSchema>;

/** Where other tools find the engine, without the password. */
export const sqlConnectionSchema = z.object({ url: z.string(), user: z.string(), database: z.string() });
export type SqlConnection = z.infer<typeof sqlConnectionSchema>;

/** The tables that analysts read, for completion and the side panel. */
export const sqlSchemaSchema = z.object({
  connection: sqlConnectionSchema,
  tables: z.array(
    z.object({
      name: z.string(),
      comment: z.string(),
      columns: z.array(z.object({ name: z.string(), type: z.string(), comment: z.string() })),
    }),
  ),
  functions: z.array(z.string()),
});
export type SqlSchema = z.infer<typeof sqlSchemaSchema>;

export const CHART_KINDS = ['line', 'bar'] as const;
export const sqlChartSchema = z.object({
  kind: z.enum(CHART_KINDS),
  x: z.string().max(200),
  y: z.array(z.string().max(200)).min(1).max(8),
});
export type SqlChart = z.infer<typeof sqlChartSchema>;

export const savedQueryInputSchema = z.object({
  title: z.string().trim().min(1, 'is empty: say what the query answers').max(TITLE_CHARS_MAX),
  sql: sqlText,
  parameters: parametersSchema.default({}),
  chart: sqlChartSchema.nullable().default(null),
  is_shared: z.boolean().default(false).describe('Whether everybody who may query sees it'),
});
export type SavedQueryInput = z.infer<typeof savedQueryInputSchema>;

export const savedQuerySchema = savedQueryInputSchema.extend({
  id: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  owner: z.string(),
  is_own: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type SavedQuery = z.infer<typeof savedQuerySchema>;
/** A question that people ask, ready to run. A parameter's value is where its field begins. */
export const galleryEntrySchema = savedQueryInputSchema.pick({ title: true, sql: true, parameters: true, chart: true });
export type GalleryEntry = z.infer<typeof galleryEntrySchema>;
export const savedQueriesSchema = z.object({ items: z.array(savedQuerySchema), gallery: z.array(galleryEntrySchema) });
export type SavedQueries = z.infer<typeof savedQueriesSchema>;

export const sqlHistorySchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      at: z.iso.datetime(),
      sql: z.string(),
      parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      elapsed_ms: z.number(),
      rows_read: z.number(),
      problem: z.string(),
    }),
  ),
});
export type SqlHistory = z.infer<typeof sqlHistorySchema>;
