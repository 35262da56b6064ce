import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  callersSchema,
  casesPageSchema,
  casesQuerySchema,
  laneSharingSchema,
  overviewQuerySchema,
  SHARING_KINDS,
} from '../../contract/index.ts';
import { readCandidates } from '../cases/candidates.ts';
import { readCases } from '../cases/cases.ts';
import { readLaneCallers } from '../cases/lane-callers.ts';
import { BRIEFLY } from '../clickhouse.ts';
import { ProblemError } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import { readSharing } from '../lanes/sharing.ts';
import type { Services } from '../services/services.ts';

const laneParams = z.object({ lane: z.string().min(1).max(128) });

/** The queue of what needs a decision. */
export function caseRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, shared, facts, now } = services;

  /** Nothing in a window is an answer about a lane that was ever seen; about any other one it would be a made-up one. */
  async function refuseUnseen(lane: string): Promise<void> {
    const sql = `SELECT 1 AS seen FROM ${store.database}.ledger WHERE lane = {lane:String} LIMIT 1`;
    if ((await store.rows(sql, { lane }, BRIEFLY)).length > 0) return;
    throw new ProblemError('not_found', 'No event was ever seen on this lane.');
  }

  return async (app) => {
    app.get(
      '/v1/cases',
      {
        schema: {
          tags: ['reads'],
          summary: 'Lanes that need a decision, highest score first, alike ones as one entry',
          querystring: casesQuerySchema.strict(),
          response: { 200: casesPageSchema },
        },
      },
      async (request) => {
        const { query } = request;
        return facts.use(query.window, (used) => {
          const candidates = () => shared.read(`${used.key} cases`, () => readCandidates(store, used));
          return readCases(store, database.db, candidates, query, { facts: used, me: actorOf(request) });
        });
      },
    );

    app.get(
      '/v1/lanes/:lane/callers',
      {
        schema: {
          tags: ['reads'],
          summary: 'Who used a lane in the last 7 days: whom ending its key would hit',
          params: laneParams,
          response: { 200: callersSchema },
        },
      },
      async ({ params: { lane } }) => {
        const callers = await readLaneCallers(store, lane, now());
        if (callers.calls === 0) await refuseUnseen(lane);
        return callers;
      },
    );

    app.get(
      '/v1/lanes/:lane/sharing',
      {
        schema: {
          tags: ['reads'],
          summary: 'With how many a lane was shared over time, and what of it is older than the window',
          params: laneParams,
          querystring: overviewQuerySchema.strict(),
          response: { 200: laneSharingSchema },
        },
      },
      async ({ params: { lane }, query: { window } }) => {
        const sharing = await shared.read(`sharing ${window} ${lane}`, () => readSharing(store, lane, window, now()));
        const isShared = sharing.steps.some((step) => SHARING_KINDS.some((kind) => step[kind] > 0));
        if (!isShared) await refuseUnseen(lane);
        return sharing;
      },
    );
  };
}
