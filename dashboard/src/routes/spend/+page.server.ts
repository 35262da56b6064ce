import {
  spendQuerySchema,
  spendSavingsQuerySchema,
  SPEND_DIMENSIONS,
  type SpendDimension,
} from '@lanewatch/query-api/contract';
import { parseQuery } from '#lib/query.ts';
import { askedOf } from './address.ts';
import type { PageServerLoad } from './$types';

const pageQuerySchema = spendQuerySchema.extend({ switch_to: spendSavingsQuerySchema.shape.switch_to });

export const load: PageServerLoad = async ({ locals, url }) => {
  const parsed = parseQuery(pageQuerySchema, url.searchParams);
  // Values go on as the address has them; what the schema refused is gone.
  const asked = Object.fromEntries(
    Object.entries({ ...askedOf(url.searchParams), by: parsed.by, window: parsed.window }).filter(
      ([name]) => parsed[name as keyof typeof parsed] !== undefined,
    ),
  );
  const { by: _by, switch_to: switchTo, ...scope } = asked;
  const { window: _window, from, to: _to, ...filters } = scope;
  // What stands beside the spend is left out where it has too many rows, and the page says so.
  const [spend, forecast, budgets, savings] = await Promise.all([
    locals.api.spend({ ...scope, by: parsed.by }),
    locals.api.spendForecast(filters).catch(() => null),
    locals.api.spendBudgets().catch(() => null),
    locals.api.spendSavings({ ...scope, switch_to: switchTo }).catch(() => null),
  ]);
  const filtered = SPEND_DIMENSIONS.flatMap((by): { by: SpendDimension; values: string[] }[] => {
    const values = parsed[by];
    return values === undefined ? [] : [{ by, values }];
  });
  return {
    ...{ spend, forecast, budgets, savings },
    by: parsed.by,
    window: parsed.window,
    isGiven: from !== undefined,
    filtered,
  };
};
