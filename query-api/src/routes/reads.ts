import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  findingItemSchema,
  findingsPageSchema,
  findingsQuerySchema,
  laneDetailSchema,
  lanesPageSchema,
  lanesQuerySchema,
  ledgerPageSchema,
  ledgerQuerySchema,
  overviewQuerySchema,
  overviewSchema,
  windowSchema,
  WINDOW_DEFAULT,
} from '../../contract/index.ts';
import { listFindings, readFinding } from '../findings/findings.ts';
import { messagesOf } from '../http/error-handler.ts';
import { ProblemError } from '../http/problem.ts';
import { readLaneAggregate } from '../lanes/aggregates.ts';
import { readLaneDetail } from '../lanes/detail.ts';
import { laneOfAggregate } from '../lanes/lane.ts';
import { pageOfLanes } from '../lanes/list.ts';
import { readLedger } from '../ledger/query.ts';
import { lanesOfSnapshot } from '../overview/overview.ts';
import type { Services } from '../services/services.ts';

/** Findings listed with a lane. */
const LANE_FINDINGS_MAX = 50;
const laneParams = z.object({ lane: z.string().min(1).max(128) });
const findingParams = z.object({ id: z.string().min(1).max(64) });

/** Overview, lanes, ledger and findings. Unknown query parameters are refused: a mistyped filter must not show everything. */
export function readRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, snapshots, overviews, now } = services;

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
        const [snapshot, current] = await Promise.all([snapshots.read(window), registry.current()]);
        return overviews(snapshot, current);
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
      async ({ query }) => {
        const [snapshot, current] = await Promise.all([snapshots.read(query.window), registry.current()]);
        return pageOfLanes(lanesOfSnapshot(snapshot, current), query, snapshot.takenMs);
      },
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
        const [aggregate, findings, snapshot, current] = await Promise.all([
          readLaneAggregate(store, params.lane, window, nowMs),
          listFindings(store, database.db, { lane: params.lane, limit: LANE_FINDINGS_MAX }),
          // Only for the known lanes to hold it against.
          snapshots.recent(window),
          registry.current(),
        ]);
        if (aggregate === null) throw new ProblemError('not_found', 'No event was ever seen on this lane.');
        const open = findings.items.filter(({ status }) => status !== 'resolved').length;
        return readLaneDetail(store, {
          lane: laneOfAggregate(aggregate, current, open, window, nowMs),
          others: lanesOfSnapshot(snapshot, current),
          findings: findings.items.map(({ id, rule, title, severity, status }) => ({
            id,
            rule,
            title,
            severity,
            status,
          })),
          window,
          nowMs,
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
      ({ query, log }) =>
        readLedger(store, query, (error) => log.warn({ reasons: messagesOf(error) }, 'rows without their totals')),
    );

    app.get(
      '/v1/findings',
      {
        schema: {
          tags: ['reads'],
          summary: 'Findings, highest risk first, then newest',
          querystring: findingsQuerySchema.strict(),
          response: { 200: findingsPageSchema },
        },
      },
      ({ query }) => listFindings(store, database.db, query),
    );

    app.get(
      '/v1/findings/:id',
      {
        schema: {
          tags: ['reads'],
          summary: 'One finding',
          params: findingParams,
          response: { 200: findingItemSchema },
        },
      },
      async ({ params }) => {
        const finding = await readFinding(store, database.db, params.id);
        if (finding === null) throw new ProblemError('not_found', 'No finding has this id.');
        return finding;
      },
    );
  };
}
