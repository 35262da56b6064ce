import { DOLLARS_MAX, DOLLARS_PATTERN } from '../../contract/usage-event.ts';

const NANO = 1_000_000_000;
/** Below this the product with 10^9 is exact to less than half a unit, so rounding gives the decimal that was written. */
const EXACT_PRODUCT_DOLLARS_MAX = 1_000_000;

/**
 * Billionths of a dollar from a decimal text, exactly.
 * @returns null when the text is no amount from 0 to 9,000,000 with at most 9 places
 */
export function nanoDollarsOfText(text: string): number | null {
  if (!DOLLARS_PATTERN.test(text)) return null;
  const point = text.indexOf('.');
  const whole = point === -1 ? text : text.slice(0, point);
  const fraction = point === -1 ? '' : text.slice(point + 1);
  return Number(whole) * NANO + Number(fraction.padEnd(9, '0'));
}

/**
 * Billionths of a dollar from a number, rounded to the nearest.
 * @returns null when it is no amount from 0 to 9,000,000
 */
export function nanoDollarsOfNumber(dollars: number): number | null {
  if (!(dollars >= 0 && dollars <= DOLLARS_MAX)) return null;
  if (dollars < EXACT_PRODUCT_DOLLARS_MAX) return Math.round(dollars * NANO) + 0;
  // Above, go through the shortest decimal that stands for this number.
  const [whole = '0', fraction = ''] = String(dollars).split('.');
  return Number(whole) * NANO + Number(fraction.slice(0, 9).padEnd(9, '0'));
}
