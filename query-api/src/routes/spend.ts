import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  spendBudgetsSchema,
  spendForecastQuerySchema,
  spendForecastSchema,
  spendQuerySchema,
  spendSavingsQuerySchema,
  spendSavingsSchema,
  spendSchema,
} from '../../contract/index.ts';
import type { Services } from '../services/services.ts';
import { budgetLines, monthBudget } from '../spend/budget-lines.ts';
import { readSavings } from '../spend/model-uses.ts';
import { readForecast } from '../spend/month.ts';
import { readSpendBy } from '../spend/spend.ts';
import { registryVersion } from '../registry/registry.ts';

/** A month's forecast and budgets change slowly: so long they are shared, in milliseconds. */
const SLOW_KEPT_MS = 10_000;

/** What was spent, by whom and on what; where the month will end; what was allowed; and what would have been saved. */
export function spendRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, shared, budgets, registry, now } = services;
  const versioned = async (name: string, query: object): Promise<string> =>
    `${await registryVersion(database.db)} ${name} ${JSON.stringify(query)}`;

  return async (app) => {
    app.get(
      '/v1/spend',
      {
        schema: {
          tags: ['reads'],
          summary: 'Spend by the values of a dimension, over time, and compared with the time before',
          querystring: spendQuerySchema.strict(),
          response: { 200: spendSchema },
        },
      },
      async ({ query }) => shared.read(await versioned('spend', query), () => readSpendBy(store, query, now())),
    );

    app.get(
      '/v1/spend/forecast',
      {
        schema: {
          tags: ['reads'],
          summary: 'What the month will cost, and how well the same forecast did before',
          querystring: spendForecastQuerySchema.strict(),
          response: { 200: spendForecastSchema },
        },
      },
      async ({ query }) =>
        shared.read(
          await versioned('forecast', query),
          async () => {
            const { all } = await registry.current();
            return readForecast(store, query, now(), monthBudget(all, query, now()));
          },
          { msMin: SLOW_KEPT_MS },
        ),
    );

    app.get(
      '/v1/spend/budgets',
      {
        schema: {
          tags: ['reads'],
          summary: 'Budgets of keys and projects, and how much of each is used',
          response: { 200: spendBudgetsSchema },
        },
      },
      async () =>
        shared.read(await versioned('budgets', {}), async () => {
          const { all } = await registry.current();
          await budgets.look();
          return budgetLines(all, (row) => budgets.usedNano(row, now()), now());
        }),
    );

    app.get(
      '/v1/spend/savings',
      {
        schema: {
          tags: ['reads'],
          summary: 'What another model or a cache would have saved, by list prices',
          querystring: spendSavingsQuerySchema.strict(),
          response: { 200: spendSavingsSchema },
        },
      },
      async ({ query }) => shared.read(await versioned('savings', query), () => readSavings(store, query, now())),
    );
  };
}
