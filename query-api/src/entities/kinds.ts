import { ENTITY_KINDS } from '../../contract/index.ts';
import type { EntityKind } from '../../contract/index.ts';
import { ENDPOINT_SQL } from '../lanes/states.ts';

/** What a kind is in the ledger: an expression for its value, and conditions that the filters per granule understand. */
interface KindSql {
  value: string;
  /** Rows whose value is one of `{name:Array(String)}`. */
  isOneOf(name: string): string;
}

const columnOf = (column: string): KindSql => ({
  value: `ledger.\`${column}\``,
  isOneOf: (name) => `ledger.\`${column}\` IN {${name}:Array(String)}`,
});

const KINDS_SQL: Record<EntityKind, KindSql> = {
  user: columnOf('user'),
  endpoint: {
    value: ENDPOINT_SQL,
    // Not the expression: only bare columns have filters.
    isOneOf: (name) =>
      `(ledger.ip IN {${name}:Array(String)} AND ledger.ip != '' OR ledger.ip = '' AND ledger.host IN {${name}:Array(String)})`,
  },
  agent: columnOf('agent'),
  repo: columnOf('repo'),
  model: columnOf('model'),
  session: columnOf('session'),
  org: columnOf('org'),
};

export const kindSql = (kind: EntityKind): KindSql => KINDS_SQL[kind];

/** Every kind but one, in the order in which they are shown. */
export const otherKinds = (kind: EntityKind): EntityKind[] => ENTITY_KINDS.filter((other) => other !== kind);
