import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  savedQueriesSchema,
  savedQueryInputSchema,
  savedQuerySchema,
  sqlEstimateRequestSchema,
  sqlEstimateSchema,
  sqlHistorySchema,
  sqlRequestSchema,
  sqlResultSchema,
  sqlSchemaSchema,
  sqlValuesSchema,
} from '../../contract/index.ts';
import type { SqlRequest } from '../../contract/index.ts';
import { StoreUnavailableError } from '../clickhouse.ts';
import { ProblemError } from '../http/problem.ts';
import { fileContents } from '../http/openapi.ts';
import { actorOf } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';
import { FILE_FORMATS, SQL_SECONDS_MAX, type AnalystEngine } from '../sql/analyst.ts';
import { estimateQuery } from '../sql/estimate.ts';
import { GALLERY } from '../sql/gallery.ts';
import { runQuery } from '../sql/run.ts';
import { changeSaved, createSaved, listSaved, readHistory, recordRun, removeSaved } from '../sql/saved.ts';
import { readSchema } from '../sql/schema.ts';
import { fileTypeOf, goneSignal, sendFile, sendProgress } from '../sql/send.ts';
import { AT_ONCE_MAX, createTurns, PER_HOUR_MAX } from '../sql/turns.ts';
import { readValues } from '../sql/values.ts';

const forQueries = { can: 'query' } as const;
const queryParams = z.object({ id: z.string().min(1).max(64) });
/** What follows changes with migrations only. */
const SCHEMA_KEPT_MS = 60_000;
/** Values to choose from may be a little old. */
const VALUES_KEPT_MS = 300_000;

const ANSWER = {
  description: 'The result, in the form that was asked for',
  content: {
    'application/json': { schema: sqlResultSchema },
    ...fileContents([...Object.keys(FILE_FORMATS), 'text/event-stream']),
  },
};

/** Ad-hoc SQL over the published tables, and the queries that people keep. */
export function sqlRoutes(services: Services): FastifyPluginAsyncZod {
  const { analyst, database, shared, now } = services;
  const { db } = database;
  const turns = createTurns();
  /** Every run may be estimated first, so estimates have as many turns of their own. */
  const estimateTurns = createTurns();

  const engine = (): AnalystEngine => {
    if (analyst !== null) return analyst;
    const detail =
      'SQL is not set up: give query-api CLICKHOUSE_ANALYST_PASSWORD, the password of a user that may only read.';
    throw new ProblemError('unavailable', detail);
  };

  /** Runs a query in its turn and notes it, whatever comes of it. */
  async function noted<Value>(
    request: FastifyRequest,
    asked: SqlRequest,
    work: () => Promise<{ value: Value; rowsRead: number }>,
  ): Promise<Value> {
    const person = actorOf(request);
    return turns.take(person, async () => {
      const atMs = now();
      const startedMs = performance.now();
      const note = (rowsRead: number, problem: string) =>
        recordRun(db, person, { ...asked, atMs, elapsedMs: performance.now() - startedMs, rowsRead, problem }).catch(
          (error: unknown) => request.log.warn({ err: error }, 'a query was not noted in its history'),
        );
      try {
        const { value, rowsRead } = await work();
        await note(rowsRead, '');
        return value;
      } catch (error) {
        await note(0, error instanceof Error ? error.message : String(error));
        throw error;
      }
    });
  }

  return async (app) => {
    app.post(
      '/v1/sql',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'Ad-hoc read-only SQL',
          description: `Views usage, lanes and sessions, tables findings and credentials; GET /v1/sql/schema lists their columns. Values go into {name:Type} places by \`parameters\`. The answer is JSON with the first \`max_rows\` rows, or, by \`accept\`, all rows as application/x-ndjson, text/csv or application/vnd.apache.parquet; text/event-stream tells progress while it runs. ${SQL_SECONDS_MAX} s a query, ${AT_ONCE_MAX} at once and ${PER_HOUR_MAX} an hour a person.`,
          body: sqlRequestSchema.strict(),
          response: { 200: ANSWER },
        },
      },
      async (request, reply) => {
        const gone = goneSignal(reply);
        const type = fileTypeOf(request.headers.accept);
        if (type !== null) {
          await noted(request, request.body, () => sendFile(engine(), request.body, type, reply, gone));
          return reply;
        }
        if (request.headers.accept?.includes('text/event-stream') === true) {
          await sendProgress(reply, (tell) =>
            noted(request, request.body, async () => {
              const value = await runQuery(engine(), request.body, gone, tell);
              return { value, rowsRead: value.statistics.rows_read };
            }),
          );
          return reply;
        }
        return noted(request, request.body, async () => {
          const value = await runQuery(engine(), request.body, gone);
          return { value, rowsRead: value.statistics.rows_read };
        });
      },
    );

    app.post(
      '/v1/sql/estimate',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'What a query would cost, without running it',
          description:
            'Rows by the engine’s plan, indexes and roll-ups considered; seconds by how fast queries of that size ran here before.',
          body: sqlEstimateRequestSchema.strict(),
          response: { 200: sqlEstimateSchema },
        },
      },
      (request) => estimateTurns.take(actorOf(request), () => estimateQuery(engine(), db, request.body)),
    );

    app.get(
      '/v1/sql/values',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'Frequent values of columns, of the last week',
          response: { 200: sqlValuesSchema },
        },
      },
      () => shared.read('sql values', () => readValues(engine()).catch(asOutage), { msMin: VALUES_KEPT_MS }),
    );

    app.get(
      '/v1/sql/schema',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'Tables, columns and functions for queries',
          response: { 200: sqlSchemaSchema },
        },
      },
      () => shared.read('sql schema', () => readSchema(engine()).catch(asOutage), { msMin: SCHEMA_KEPT_MS }),
    );

    app.get(
      '/v1/sql/history',
      {
        config: forQueries,
        schema: { tags: ['sql'], summary: 'One’s last hundred queries', response: { 200: sqlHistorySchema } },
      },
      (request) => readHistory(db, actorOf(request)),
    );

    app.get(
      '/v1/sql/queries',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'Kept queries, one’s own and shared ones',
          response: { 200: savedQueriesSchema },
        },
      },
      async (request) => ({ items: await listSaved(db, actorOf(request)), gallery: [...GALLERY] }),
    );

    app.post(
      '/v1/sql/queries',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'Keep a query',
          body: savedQueryInputSchema.strict(),
          response: { 201: savedQuerySchema },
        },
      },
      async (request, reply) => reply.status(201).send(await createSaved(db, request.body, actorOf(request), now())),
    );

    app.put(
      '/v1/sql/queries/:id',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'Change a query of one’s own',
          params: queryParams,
          body: savedQueryInputSchema.strict(),
          response: { 200: savedQuerySchema },
        },
      },
      (request) => changeSaved(db, request.params.id, request.body, actorOf(request), now()),
    );

    app.delete(
      '/v1/sql/queries/:id',
      {
        config: forQueries,
        schema: {
          tags: ['sql'],
          summary: 'Delete a query of one’s own',
          params: queryParams,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await removeSaved(db, request.params.id, actorOf(request));
        return reply.status(204).send(null);
      },
    );
  };
}

function asOutage(error: unknown): never {
  throw error instanceof ProblemError ? error : new StoreUnavailableError(error);
}
