import { isHttpError } from '@sveltejs/kit';
import type { Case, FindingItem, LaneDetail, LedgerItem, Window } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';

/** Findings of a lane that are told, and rows of its session that are drawn. */
const FINDINGS_TOLD = 5;
const ROWS_DRAWN = 100;

/** A lane with what is needed to decide about it. */
export interface CaseData {
  lane: LaneDetail;
  /** What is not resolved, gravest first. */
  findings: FindingItem[];
  /** Rows of its newest session in the window, newest first; of the lane where no event names one. */
  rows: LedgerItem[];
  /** '' where no event names one. */
  session: string;
  /** How many rows there are, and what they cost; null where that was not counted. */
  totals: { events: number; cost_usd: string } | null;
}

/** Reads it; null where no event was ever seen on the lane. */
export async function readCase(
  api: Api,
  name: string,
  window: Window,
  latest?: Case['latest'],
): Promise<CaseData | null> {
  try {
    const findings = api.findings({ lane: name, status: 'unresolved', limit: FINDINGS_TOLD });
    // Where the queue says which session is the newest, its rows need not wait for the lane.
    const early = latest?.session ? readRows(api, name, latest.session, null) : null;
    const [lane, { items }] = await Promise.all([api.lane(name, window), findings]);
    const session = lane.usage_context.sessions[0]?.value ?? '';
    const bounds = { from: lane.from, to: lane.to };
    const page = await (early !== null && session === latest?.session ? early : readRows(api, name, session, bounds));
    return { lane, findings: items, rows: page.items, session, totals: page.totals };
  } catch (cause) {
    if (isHttpError(cause, 404)) return null;
    throw cause;
  }
}

function readRows(api: Api, lane: string, session: string, bounds: { from: string; to: string } | null) {
  return api.ledger({ lane, ...(session === '' ? {} : { session }), ...bounds, limit: ROWS_DRAWN });
}
