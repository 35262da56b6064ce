import type { JsonObject } from './json-body.ts';

/** Token counts as a source reports them. */
export interface ReportedTokens {
  input: number | undefined;
  cacheRead?: number | undefined;
  cacheWrite?: number | undefined;
  output: number | undefined;
  /** The sum that the source gives beside them, where it gives one. */
  total?: number | undefined;
}

/** Whether a source counts what went through the cache as input, too. */
export type InputMeaning = 'inclusive' | 'exclusive';

/**
 * The four disjoint counts of an event. The numbers overrule what is known of the source where they contradict it: less input than came
 * through the cache cannot hold that, and neither can it when the reported sum is only reached with the cache added.
 * @param meaning what the source and its version are known for
 * @returns undefined when nothing was reported
 */
export function disjointTokens(reported: ReportedTokens, meaning: InputMeaning): JsonObject | undefined {
  const { input, cacheRead = 0, cacheWrite = 0, output, total } = reported;
  if (input === undefined && output === undefined && cacheRead + cacheWrite === 0) return undefined;
  const cached = cacheRead + cacheWrite;
  const whole = input ?? 0;
  const isExclusive =
    meaning === 'exclusive' || cached > whole || (cached > 0 && total === whole + cached + (output ?? 0));
  return {
    input_uncached: isExclusive ? whole : whole - cached,
    cache_read: cacheRead,
    cache_write: cacheWrite,
    output: output ?? 0,
  };
}
