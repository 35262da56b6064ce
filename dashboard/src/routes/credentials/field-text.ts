/**
 * A field's value as one line: lists parted by commas, a scope as `write on runs`, a budget as `250 a month`; '' for nothing.
 * @param value as a log or a dry run has it
 */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(textOfValue).join(', ');
  if (typeof value === 'object') {
    const { action, resource, amount_usd: amount, period } = value as Record<string, unknown>;
    if (typeof action === 'string') return `${action} on ${String(resource)}`;
    if (typeof amount === 'string') return `US$ ${amount} a ${String(period)}`;
    return JSON.stringify(value);
  }
  return String(value);
}
