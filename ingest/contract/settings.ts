import { readFileSync } from 'node:fs';
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

/**
 * Settings with a password in them may lie in a file that `NAME_FILE` names, as Docker and Kubernetes hand secrets out. Line ends around
 * it do not count.
 * @param environment usually process.env; an empty variable counts as unset
 * @param names which settings may
 * @returns what is set, files read, and a sentence for each file that can't be read or that says again what a variable says
 */
export function withSecretFiles(
  environment: Record<string, string | undefined>,
  names: readonly string[],
): { given: Record<string, string>; problems: string[] } {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined && value !== '') given[name] = value;
  const problems: string[] = [];
  for (const name of names) {
    const file = given[`${name}_FILE`];
    if (file === undefined) continue;
    if (given[name] !== undefined) problems.push(`${name}_FILE: is set beside ${name}; leave one of them out`);
    try {
      given[name] = readFileSync(file, 'utf8').trim();
    } catch (error) {
      problems.push(`${name}_FILE: can't be read (${(error as Error).message})`);
      // A second problem, that the setting itself is missing, would only repeat this one.
      given[name] = '';
    }
  }
  return { given, problems };
}
