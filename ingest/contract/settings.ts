import { z } from 'zod';
import { parseBusUrl } from '../src/bus/open.ts';

/** Settings that every service on the bus has, so that all of them refuse the same values. */

/** The URL of the bus, which can be opened or is refused with what is wrong with it. */
export const busUrlSetting = z.string({ error: 'is required' }).superRefine((url, context) => {
  try {
    parseBusUrl(url);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

/** Put before every topic name, so it holds only what Kafka takes in one. */
export const topicPrefixSetting = z
  .string()
  .regex(/^[\w.-]{0,100}$/, 'must be at most 100 letters, digits, dots, underscores and dashes')
  .default('');

const HOUR_MS = 3_600_000;

/** Hours in, milliseconds out; undefined leaves it to the bus. Compacted topics keep the newest record of a key whatever it says. */
export const busRetentionSetting = z.coerce
  .number({ error: 'must be a number of hours' })
  .min(1, { error: 'must be at least 1 hour' })
  .max(87_600, { error: 'must be at most 87600 hours' })
  .optional()
  .transform((hours) => (hours === undefined ? undefined : hours * HOUR_MS))
  .describe('How long topics that are made here keep records; by default 168 embedded, on Kafka what the broker says');

/** The option of {@link openBus} for what {@link busRetentionSetting} gave. */
export const retentionOf = (retentionMs: number | undefined) => (retentionMs === undefined ? {} : { retentionMs });
