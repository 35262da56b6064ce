import type { Spend } from '@lanewatch/query-api/contract';

const HEAD = [
  ...[
    'dimension',
    'value',
    'name',
    'from',
    'to',
    'cost_usd',
    'reported_usd',
    'estimated_usd',
    'unpriced_calls',
    'calls',
  ],
  ...['tokens_input_uncached', 'tokens_cache_read', 'tokens_cache_write', 'tokens_output', 'share', 'previous_usd'],
];

/** A cell; what a spreadsheet would take for a formula begins with an apostrophe, because senders choose names. */
function cellOf(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const inert = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** The rows of a page as RFC 4180 text; all further values are one line, `(others)`. */
export function csvOf(spend: Spend): string {
  const lines = [
    ...spend.rows.map((row) => ({ ...row, credential_ids: null })),
    ...(spend.others === null ? [] : [{ ...spend.others, value: '(others)', name: '', share: null }]),
  ].map(({ value, name, share, basis, tokens, ...sums }) => [
    ...[spend.by, value, name, spend.from, spend.to, Number(sums.cost_usd) < 0 ? Number(sums.cost_usd) : sums.cost_usd],
    ...[basis.reported_usd, basis.estimated_usd, basis.unpriced_calls, sums.calls],
    ...[tokens.input_uncached, tokens.cache_read, tokens.cache_write, tokens.output, share, sums.previous_usd],
  ]);
  return [HEAD, ...lines].map((line) => line.map(cellOf).join(',')).join('\r\n') + '\r\n';
}
