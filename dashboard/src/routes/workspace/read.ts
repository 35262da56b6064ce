import { isHttpError } from '@sveltejs/kit';
import { isOfRegistry } from '@lanewatch/query-api/contract';
import type { Case, CaseState, FindingItem, LaneDetail, LedgerItem, Window } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';

/** Findings of a lane that are told, and rows of its session that are drawn. */
const FINDINGS_TOLD = 5;
const ROWS_DRAWN = 100;

/** A lane with what is needed to decide about it. */
export interface CaseData {
  lane: LaneDetail;
  /** What is not resolved, gravest first and of equals one about its use, as in the queue; where that is nothing, what is put off. */
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
    const findings = readFindings(api, name);
    // Where the queue says which session is the newest, its rows need not wait for the lane.
    const early = latest?.session ? readRows(api, name, latest.session, null) : null;
    const [lane, told, ahead] = await Promise.all([api.lane(name, window), findings, early]);
    const session = lane.usage_context.sessions[0]?.value ?? '';
    const bounds = { from: lane.from, to: lane.to };
    const page = ahead !== null && session === latest?.session ? ahead : await readRows(api, name, session, bounds);
    return { lane, findings: told, rows: page.items, session, totals: page.totals };
  } catch (cause) {
    if (isHttpError(cause, 404)) return null;
    throw cause;
  }
}

async function readFindings(api: Api, lane: string): Promise<FindingItem[]> {
  for (const status of ['unresolved', 'snoozed'] as const) {
    const { items } = await api.findings({ lane, status, limit: FINDINGS_TOLD });
    const first =
      items.find(({ rule, severity }) => severity === items[0]?.severity && !isOfRegistry(rule)) ?? items[0];
    if (first !== undefined) return [first, ...items.filter((finding) => finding !== first)];
  }
  return [];
}

/** How a case stands: to decide while anything on it is open. Null where nothing is. Pure. */
export function stateOf(findings: readonly Pick<FindingItem, 'status'>[]): CaseState | null {
  const has = (...statuses: FindingItem['status'][]) => findings.some(({ status }) => statuses.includes(status));
  if (has('open', 'reopened')) return 'open';
  return has('acknowledged') ? 'acknowledged' : has('snoozed') ? 'snoozed' : null;
}

function readRows(api: Api, lane: string, session: string, bounds: { from: string; to: string } | null) {
  return api.ledger({ lane, ...(session === '' ? {} : { session }), ...bounds, limit: ROWS_DRAWN });
}
