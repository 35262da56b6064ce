import { ANALYST_TABLES, ANALYST_VIEWS } from '@lanewatch/detector/contract';
import type { SqlSchema } from '../../contract/index.ts';
import type { AnalystEngine } from './analyst.ts';

interface ColumnRow {
  table: string;
  name: string;
  type: string;
  comment: string;
}

/** What analysts may read: the published views and tables with their columns as the engine has them, and the engine's functions. */
export async function readSchema(engine: AnalystEngine): Promise<SqlSchema> {
  const published = [...ANALYST_VIEWS, ...ANALYST_TABLES];
  const [columns, functions] = await Promise.all([
    engine.rows<ColumnRow>(
      'SELECT table, name, type, comment FROM system.columns WHERE database = {database:String} ORDER BY table, position',
      { database: engine.database },
    ),
    engine.rows<{ name: string }>('SELECT name FROM system.functions ORDER BY name'),
  ]);
  const comments = new Map(ANALYST_VIEWS.map((view) => [view.name, view.columns]));
  const tables = published.map(({ name, comment }) => ({
    name,
    comment,
    columns: columns
      .filter(({ table }) => table === name)
      .map((column) => ({
        name: column.name,
        type: column.type,
        comment: comments.get(name)?.[column.name] ?? column.comment,
      })),
  }));
  const { url, user, database } = engine;
  return { connection: { url, user, database }, tables, functions: functions.map(({ name }) => name) };
}
