import { usageQuerySchema } from '@lanewatch/query-api/contract';
import { moduleChoices } from '#lib/modules.ts';
import { parseQuery } from '#lib/query.ts';
import { chartOf } from './charts.ts';
import type { PageServerLoad } from './$types';

/** Rows of the table of keys. */
const KEYS_SHOWN = 20;

export const load: PageServerLoad = async ({ locals: { api }, url }) => {
  const query = parseQuery(usageQuerySchema, url.searchParams);
  const [usage, modules] = await Promise.all([api.usage(query), moduleChoices(api, query.module)]);
  const { by, steps: _steps, ...whole } = usage;
  const named = (rows: (typeof by)['lane']['rows']) => rows.map(({ steps: _ofRow, ...row }) => row);
  return {
    usage: whole,
    window: query.window,
    isGiven: query.from !== undefined,
    filters: { module: query.module, environment: query.environment },
    modules,
    charts: {
      executions: chartOf(usage, 'lane', 'executions'),
      failed: chartOf(usage, 'lane', 'failed_authentications'),
      modules: chartOf(usage, 'module', 'calls'),
      agents: chartOf(usage, 'agent', 'agent_calls'),
    },
    keys: { values: by.lane.values, rows: named(by.lane.rows).slice(0, KEYS_SHOWN) },
    byModule: { values: by.module.values, rows: named(by.module.rows) },
  };
};
