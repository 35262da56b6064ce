import { ruleItemSchema, rulesSchema, type RulePatch } from '@lanewatch/query-api/contract';
import type { Calls } from './client.ts';

const one = (id: string) => `/v1/rules/${encodeURIComponent(id)}`;

/** Detection rules, as the pages ask for them. */
export function ruleCalls({ read, command }: Pick<Calls, 'read' | 'command'>) {
  return {
    rules: () => read(rulesSchema, '/v1/rules'),
    rule: (id: string) => read(ruleItemSchema, one(id)),
    setRule: (id: string, body: RulePatch) => command(ruleItemSchema, one(id), body, { method: 'PATCH' }),
  };
}
