import { z } from 'zod';
import { instantSchema } from './common.ts';

/** One run of a job. */
export const jobRunItemSchema = z.object({
  id: z.number().int(),
  due_at: instantSchema.describe('The instant of the schedule that it was for; by hand: when it was started'),
  by: z.string().describe('Who started it by hand; empty for the schedule'),
  started_at: instantSchema,
  ended_at: instantSchema.nullable(),
  duration_ms: z.number().int().nullable(),
  outcome: z.enum(['running', 'done', 'failed']),
  detail: z.string().describe('What it did, or why it failed'),
  resumed: z.number().int().describe('How often it was gone on with after its process ended in the middle'),
});
export type JobRunItem = z.infer<typeof jobRunItemSchema>;

/** Recurring work of query-api. */
export const jobItemSchema = z.object({
  id: z.string(),
  title: z.string(),
  does: z.string(),
  schedule: z.string().describe('Cron expression, in UTC'),
  state: z.enum(['waiting', 'running']),
  next_due_at: instantSchema.describe('In the past: at the next look, which is seconds away'),
  runs: z.array(jobRunItemSchema).describe('The last ten, newest first'),
});
export type JobItem = z.infer<typeof jobItemSchema>;

/** `GET /v1/jobs` */
export const jobsSchema = z.object({ items: z.array(jobItemSchema) });
export type Jobs = z.infer<typeof jobsSchema>;
