import { z } from 'zod';
import { instantSchema, pageOf, pageQuerySchema } from './common.ts';
import { collectorHealthSchema } from './overview.ts';

/** A program that ships through a collector, as its events of the last 24 hours name it. */
const shippedSchema = z.object({
  agent: z.string(),
  agent_version: z.string(),
  reporter: z.string(),
  events: z.number().int(),
  last_seen: instantSchema,
});

/** `GET /v1/collectors`: who ships what, and what became of it. */
export const collectorsSchema = z.object({
  items: z.array(
    collectorHealthSchema.extend({
      /** Up to ten, most events first; null while the ledger does not answer. */
      ships: z.array(shippedSchema).nullable(),
    }),
  ),
  /** Records that could not be decoded and can be looked at. */
  dead_letters: z.number().int(),
});
export type Collectors = z.infer<typeof collectorsSchema>;

/** A record, or a line of one, that could not be decoded, and where it stood on the bus. */
export const deadLetterSchema = z.object({
  /** Partition, offset and index, as `3-4711-0`. */
  id: z.string(),
  at: instantSchema,
  reason: z.string(),
  partition: z.number().int(),
  offset: z.number().int(),
  record_index: z.number().int(),
  /** How many bytes came, and whether all of them are kept. */
  bytes: z.number().int(),
  is_whole: z.boolean(),
  replayed_at: instantSchema.nullable(),
  replayed_by: z.string(),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** `GET /v1/dead-letters`, newest first */
export const deadLettersQuerySchema = pageQuerySchema;
export const deadLettersPageSchema = pageOf(deadLetterSchema);
/** `GET /v1/dead-letters/{id}` */
export const deadLetterDetailSchema = deadLetterSchema.extend({
  text: z.string().describe('What came, its first 20,000 signs; what looks like a raw key is taken out'),
  is_cut: z.boolean(),
});
export type DeadLetterDetail = z.infer<typeof deadLetterDetailSchema>;
