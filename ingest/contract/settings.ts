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
