import {
  backtestMadeSchema,
  backtestSchema,
  ruleItemSchema,
  rulesSchema,
  type BacktestCreate,
  type RulePatch,
} from '@lanewatch/query-api/contract';
import type { Calls } from './client.ts';

const one = (id: string) => `/v1/rules/${encodeURIComponent(id)}`;

const backtestPath = (id: string) => `/v1/backtests/${encodeURIComponent(id)}`;

/** Detection rules, as the pages ask for them. */
export function ruleCalls({ read, command }: Pick<Calls, 'read' | 'command'>) {
  return {
    rules: () => read(rulesSchema, '/v1/rules'),
    rule: (id: string) => read(ruleItemSchema, one(id)),
    tryRule: (id: string, body: BacktestCreate) => command(backtestMadeSchema, `${one(id)}/backtest`, body),
    backtest: (id: string) => read(backtestSchema, backtestPath(id)),
    stopBacktest: (id: string) => command(backtestSchema, `${backtestPath(id)}/cancel`, {}),
    setRule: (id: string, body: RulePatch) => command(ruleItemSchema, one(id), body, { method: 'PATCH' }),
  };
}
