/** What was asked for can't be done; the message is for the person at the keyboard. */
export class UsageError extends Error {}

/**
 * The value of a numeric option; null when it was not given.
 * @throws UsageError naming the option and what it takes
 */
export function wholeNumber(name: string, text: string | undefined, min: number, max: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new UsageError(`${name} is a whole number from ${min} to ${max}, not "${text}".`);
  return value;
}
