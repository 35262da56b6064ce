import * as contract from '@lanewatch/query-api/contract';
import type { z } from 'zod';
import { overviewOf } from './answers.ts';
import { ProblemAnswer } from './fake-registry.ts';
import { bounds, lanesOf } from './lanes.ts';
import type { Organisation } from './organisation.ts';

/** A page of a list; throws ProblemAnswer for a cursor that no list gave out. */
export function page<Item>(items: readonly Item[], query: { limit: number; cursor?: string | undefined }) {
  const start = query.cursor === undefined ? 0 : Number(query.cursor.replace(/^at-/, ''));
  if (!Number.isInteger(start)) throw new ProblemAnswer(400, 'The cursor is none that this list gave out.');
  const next = start + query.limit;
  return { items: items.slice(start, next), next_cursor: next < items.length ? `at-${next}` : null };
}

/** `GET /v1/lanes` */
export function lanesPage(
  org: Organisation,
  query: z.infer<typeof contract.lanesQuerySchema>,
  nowMs: number,
): contract.LanesPage {
  const risk = ['known', 'unattributed', 'ambiguous', 'expired', 'revoked', 'unknown'];
  const needle = query.q?.toLowerCase() ?? '';
  const order = query.order === 'asc' ? 1 : -1;
  const items = lanesOf(org, query.window, nowMs)
    .filter((lane) => query.standing === undefined || lane.standing === query.standing)
    .filter((lane) => query.shared === undefined || lane.users > 1 === query.shared)
    .filter((lane) => query.live === undefined || lane.live_sessions > 0 === query.live)
    .filter((lane) => query.attributed === undefined || (lane.lane !== 'unattributed') === query.attributed)
    .filter(({ posture }) => query.reason === undefined || posture.some(({ reason }) => reason === query.reason))
    .filter((lane) => query.org === undefined || lane.org === query.org)
    .filter((lane) =>
      [lane.hint, lane.org, lane.credential?.name ?? '', lane.credential?.owner ?? ''].some((text) =>
        text.toLowerCase().includes(needle),
      ),
    )
    .sort((a, b) => {
      if (query.sort === 'cost') return order * (Number(a.cost_usd) - Number(b.cost_usd));
      if (query.sort === 'sessions' || query.sort === 'events') return order * (a[query.sort] - b[query.sort]);
      if (query.sort === 'hint' || query.sort === 'last_seen')
        return order * a[query.sort].localeCompare(b[query.sort]);
      return order * (risk.indexOf(a.standing) - risk.indexOf(b.standing) || Number(a.cost_usd) - Number(b.cost_usd));
    });
  const { window } = query;
  return contract.lanesPageSchema.parse({ ...page(items, query), window, ...bounds(window, nowMs) });
}

/** `GET /v1/collectors` */
export function collectorsOf(org: Organisation, nowMs: number): z.infer<typeof contract.collectorsSchema> {
  return contract.collectorsSchema.parse({
    items: overviewOf(org, '7d', nowMs).collectors.map((one) => ({
      ...one,
      ships: [
        {
          ...{ agent: 'Claude Code', agent_version: '2.1.0', reporter: 'agent', events: one.stored },
          last_seen: one.last_received_at ?? new Date(nowMs).toISOString(),
        },
      ],
    })),
    dead_letters: org.deadLetters.length,
  });
}
