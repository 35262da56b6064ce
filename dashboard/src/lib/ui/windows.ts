import type { Window } from '@lanewatch/query-api/contract';

/** The contract's windows with their names for sentences. Written here because importing the contract's values would bring
 * every schema into the browser; the type keeps both equal. */
const WINDOW_NAMES: Record<Window, string> = {
  '1h': 'the last hour',
  '24h': 'the last 24 hours',
  '7d': 'the last 7 days',
  '30d': 'the last 30 days',
  '90d': 'the last 90 days',
};

/** Whether a window consists of whole UTC days. */
export const isOfDays = (window: Window) => window !== '1h' && window !== '24h';
export const windowName = (window: Window) => WINDOW_NAMES[window];
export const ALL_WINDOWS = Object.keys(WINDOW_NAMES) as Window[];
