import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  laneDetailSchema,
  lanesPageSchema,
  lanesQuerySchema,
  ledgerHistogramQuerySchema,
  ledgerHistogramSchema,
  ledgerPageSchema,
  ledgerQuerySchema,
  ledgerTotalsQuerySchema,
  ledgerTotalsSchema,
  overviewQuerySchema,
  overviewSchema,
  windowSchema,
  WINDOW_DEFAULT,
} from '../../contract/index.ts';
import { listFindings } from '../findings/findings.ts';
import { ProblemError } from '../http/problem.ts';
import { readCandidates } from '../lanes/comparables.ts';
import { readLane, readLaneDetail } from '../lanes/detail.ts';
import { readLanesPage } from '../lanes/list.ts';
import { readHistogram } from '../ledger/histogram.ts';
import { readLedger } from '../ledger/query.ts';
import { readTotals } from '../ledger/totals.ts';
import { collectorHealth } from '../overview/collectors.ts';
import { countTrendKept, readCountTrend } from '../overview/count-trend.ts';
import { readOverview } from '../overview/overview.ts';
import type { Services } from '../services/services.ts';

/** Findings listed with a lane. */
const LANE_FINDINGS_MAX = 50;
/** Known lanes beside another one may be this old: they are there to compare with. */
const COMPARABLES_KEPT_MS = 5 * 60_000;
const laneParams = z.object({ lane: z.string().min(1).max(128) });

/** Overview, lanes and ledger. Unknown query parameters are refused: a mistyped filter must not show everything. */
export function readRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, shared, facts, collectors, now } = services;
  const { db } = database;

  return async (app) => {
    app.get(
      '/v1/overview',
      {
        schema: {
          tags: ['reads'],
          summary: 'The counts behind banner and strip for a window, with collector health',
          querystring: overviewQuerySchema.strict(),
          response: { 200: overviewSchema },
        },
      },
      async ({ query: { window } }) => {
        const current = await registry.current();
        const [overview, trend] = await Promise.all([
          facts.use(window, (used) => shared.read(`${used.key} overview`, () => readOverview(store, db, used))),
          // Others wait for the same read with other facts: it takes its own, and makes up for their loss by itself.
          shared.read(
            `count trend ${window}`,
            () => facts.use(window, (used) => readCountTrend(store, used)),
            countTrendKept(window),
          ),
        ]);
        return {
          ...overview,
          count_trend: trend,
          collectors: collectorHealth(current, collectors.byCollector(), now()),
        };
      },
    );

    app.get(
      '/v1/lanes',
      {
        schema: {
          tags: ['reads'],
          summary: 'Lanes with standing now, posture and blast radius',
          querystring: lanesQuerySchema.strict(),
          response: { 200: lanesPageSchema },
        },
      },
      ({ query }) =>
        facts.use(query.window, (used) =>
          shared.read(`${used.key} lanes ${JSON.stringify(query)}`, () => readLanesPage(store, db, query, used)),
        ),
    );

    app.get(
      '/v1/lanes/:lane',
      {
        schema: {
          tags: ['reads'],
          summary: 'One lane with its four topology groups',
          params: laneParams,
          querystring: z.object({ window: windowSchema.default(WINDOW_DEFAULT) }).strict(),
          response: { 200: laneDetailSchema },
        },
      },
      async ({ params, query: { window } }) => {
        const nowMs = now();
        return facts.use(window, async (used) => {
          const listed = { lane: params.lane, limit: LANE_FINDINGS_MAX, sort: 'severity', counts: 'none' } as const;
          const [{ items }, found] = await Promise.all([
            listFindings(store, db, listed, { nowMs, me: '' }),
            readLane(store, params.lane, used),
          ]);
          if (found === null) throw new ProblemError('not_found', 'No event was ever seen on this lane.');
          const open = items.filter(({ status }) => status !== 'resolved' && status !== 'snoozed').length;
          return readLaneDetail(store, {
            lane: { ...found, open_findings: open },
            candidates: () =>
              shared.read(
                `${used.registryVersion} comparables ${JSON.stringify([window, found.org, found.provider])}`,
                () => facts.use(window, (own) => readCandidates(store, found, own)),
                { msMin: COMPARABLES_KEPT_MS },
              ),
            findings: items.map(({ id, rule, title, severity, status }) => ({ id, rule, title, severity, status })),
            window,
            nowMs,
          });
        });
      },
    );

    app.get(
      '/v1/ledger',
      {
        schema: {
          tags: ['reads'],
          summary: 'Raw rows, filtered by any event field, newest first',
          querystring: ledgerQuerySchema.strict(),
          response: { 200: ledgerPageSchema },
        },
      },
      ({ query }) => readLedger(store, query),
    );

    app.get(
      '/v1/ledger/totals',
      {
        schema: {
          tags: ['reads'],
          summary: 'What the rows of a filter come to, within a budget',
          description:
            'Takes the filters of /v1/ledger. Where there are too many rows to count, it tells how many it counted.',
          querystring: ledgerTotalsQuerySchema.strict(),
          response: { 200: ledgerTotalsSchema },
        },
      },
      ({ query }) => shared.read(`totals ${JSON.stringify(query)}`, () => readTotals(store, query)),
    );

    app.get(
      '/v1/ledger/histogram',
      {
        schema: {
          tags: ['reads'],
          summary: 'Rows of a filter over time, within a budget',
          description:
            'Takes the filters of /v1/ledger. Without `from` it begins with the first row, or, where there are too many, as far back as can be counted.',
          querystring: ledgerHistogramQuerySchema.strict(),
          response: { 200: ledgerHistogramSchema },
        },
      },
      ({ query }) =>
        shared.read(`histogram ${JSON.stringify(query)}`, async () => {
          const histogram = await readHistogram(store, query, now());
          if (histogram === null)
            throw new ProblemError('read_too_large', 'There are too many rows to count them now.');
          return histogram;
        }),
    );
  };
}
