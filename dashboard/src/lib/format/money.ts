const NANO = 1_000_000_000n;

/** Billionths of a dollar in a decimal text. Exact: amounts never pass through a floating-point number. */
function nanoDollars(dollars: string): bigint {
  const negative = dollars.startsWith('-');
  const [whole = '0', fraction = ''] = (negative ? dollars.slice(1) : dollars).split('.');
  const nano = BigInt(whole) * NANO + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return negative ? -nano : nano;
}

/** Rounds half away from zero to `places` decimals and writes the result with thousands separated. */
function fixed(nano: bigint, places: number): string {
  const unit = 10n ** BigInt(9 - places);
  const units = (nano + unit / 2n) / unit;
  const scale = 10n ** BigInt(places);
  const whole = (units / scale).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  return `${whole}.${(units % scale).toString().padStart(places, '0')}`;
}

/**
 * Dollars for people: to the cent from one dollar on; below, two to four decimals, and what would round to nothing is
 * shown as less than the smallest amount, never as zero.
 * @param dollars decimal text with at most nine places
 */
export function formatMoney(dollars: string): string {
  const nano = nanoDollars(dollars);
  const sign = nano < 0n ? '−' : '';
  const size = nano < 0n ? -nano : nano;
  if (size >= NANO || size === 0n) return `${sign}$${fixed(size, 2)}`;
  if (size < 50_000n) return `${sign}<$0.0001`;
  return `${sign}$${fixed(size, 4).replace(/0{1,2}$/, '')}`;
}

/** The exact amount, as a title beside the rounded one. */
export function exactMoney(dollars: string): string {
  return `US$ ${dollars.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')}`;
}

/** A round amount on an axis: no more decimals than its steps need. */
export function axisMoney(dollars: number): string {
  const decimals = Number.isInteger(dollars) ? 0 : 2;
  return `$${dollars.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: 4 })}`;
}

/** Dollars as a number, for drawing only. */
export function dollarsToNumber(dollars: string): number {
  return Number(dollars);
}
