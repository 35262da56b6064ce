const NANO_PER_DOLLAR = 1_000_000_000n;

/** A decimal text such as `0.61` as billionths of a dollar. */
export function nanoOf(dollars: string): bigint {
  const negative = dollars.startsWith('-');
  const [whole = '0', fraction = ''] = (negative ? dollars.slice(1) : dollars).split('.');
  const nano = BigInt(whole || '0') * NANO_PER_DOLLAR + BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return negative ? -nano : nano;
}

/** Billionths of a dollar as decimal text without trailing zeros. Sums stay exact, which floats would not. */
export function dollarsOf(nano: bigint): string {
  const absolute = nano < 0n ? -nano : nano;
  const fraction = (absolute % NANO_PER_DOLLAR).toString().padStart(9, '0').replace(/0+$/, '');
  const text = `${(absolute / NANO_PER_DOLLAR).toString()}${fraction === '' ? '' : `.${fraction}`}`;
  return nano < 0n ? `-${text}` : text;
}

/** The exact sum of decimal texts. */
export function sumDollars(amounts: Iterable<string>): string {
  let total = 0n;
  for (const amount of amounts) total += nanoOf(amount);
  return dollarsOf(total);
}
