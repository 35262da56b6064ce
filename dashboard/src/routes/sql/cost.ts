import type { SqlEstimate } from '@lanewatch/query-api/contract';

/** From so many seconds on a query is run only once its cost was seen. */
const TELL_FROM_SECONDS = 2;

const ROUND = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 2 });

/** `100M rows at most, about 6 s`; null where nothing can be told. */
export function costText({ rows, seconds }: SqlEstimate): string | null {
  if (rows === null || seconds === null) return null;
  const time = seconds < 1 ? 'under a second' : `about ${Math.round(seconds)} s`;
  return `${ROUND.format(rows)} rows at most, ${time}`;
}

/** Whether somebody should see the cost before the query runs. */
export const isDear = ({ seconds }: SqlEstimate): boolean => seconds !== null && seconds >= TELL_FROM_SECONDS;
