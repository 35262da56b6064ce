import {
  savedQueriesSchema,
  savedQuerySchema,
  sqlEstimateSchema,
  sqlHistorySchema,
  sqlResultSchema,
  sqlSchemaSchema,
  sqlValuesSchema,
  type SavedQueryInput,
} from '@lanewatch/query-api/contract';
import { z } from 'zod';
import type { Calls } from './client.ts';

/** Ad-hoc SQL and kept queries, as the pages ask for them. */
export function sqlCalls({ read, command }: Pick<Calls, 'read' | 'command'>) {
  const path = (id: string) => `/v1/sql/queries/${encodeURIComponent(id)}`;
  return {
    sqlSchema: () => read(sqlSchemaSchema, '/v1/sql/schema'),
    sqlValues: () => read(sqlValuesSchema, '/v1/sql/values'),
    sqlEstimate: (body: unknown) => command(sqlEstimateSchema, '/v1/sql/estimate', body),
    sqlHistory: () => read(sqlHistorySchema, '/v1/sql/history'),
    savedQueries: () => read(savedQueriesSchema, '/v1/sql/queries'),
    sql: (body: { sql: string; parameters: Record<string, string> }) => command(sqlResultSchema, '/v1/sql', body),
    saveQuery: (body: SavedQueryInput) => command(savedQuerySchema, '/v1/sql/queries', body),
    changeQuery: (id: string, body: SavedQueryInput) => command(savedQuerySchema, path(id), body, { method: 'PUT' }),
    removeQuery: (id: string) => command(z.unknown(), path(id), undefined, { method: 'DELETE' }),
  };
}
