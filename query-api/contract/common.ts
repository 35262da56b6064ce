import { z } from 'zod';

/** A time that a request names: RFC 3339 with a zone; `t` and `z` may be lower-case (§5.6). */
export const givenTimeSchema = z
  .string()
  .toUpperCase()
  .pipe(z.iso.datetime({ offset: true }));
/** RFC 3339 in UTC. */
export const instantSchema = z.iso.datetime();
/** A decimal amount of US dollars as text, 9 places at most: JSON numbers would round it. */
export const dollarsSchema = z.string().regex(/^-?\d+(\.\d{1,9})?$/);

export const STANDINGS = ['known', 'unknown', 'ambiguous', 'expired', 'revoked', 'unattributed'] as const;
export const MATCHES = ['proven', 'probable', 'ambiguous', 'none'] as const;
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export const standingSchema = z.enum(STANDINGS);
export type Standing = z.infer<typeof standingSchema>;

/**
 * What registering the key does for events that name it so. helps: they are known from then on. needs_fingerprint: they name
 * a hint that never tells one key for certain, so that registering changes nothing for them. not_needed: there is no key, or
 * the registry knows it.
 */
export const registrationSchema = z.enum(['helps', 'needs_fingerprint', 'not_needed']);
export type Registration = z.infer<typeof registrationSchema>;

/**
 * Windows readers choose from: 7, 30 and 90 UTC days, today the last of them, from 00:00 UTC on; 24 hours and one hour, from a full minute
 * on. So roll-ups and rows agree, and a day is the same for every reader.
 */
export const WINDOWS = ['1h', '24h', '7d', '30d', '90d'] as const;
export const windowSchema = z.enum(WINDOWS);
export type Window = z.infer<typeof windowSchema>;
export const WINDOW_DEFAULT: Window = '7d';

export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(2000).optional(),
});

/** A page of a list. `next_cursor` is null on the last one. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

/** RFC 9457 */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
  request_id: z.string(),
});
export type Problem = z.infer<typeof problemSchema>;
