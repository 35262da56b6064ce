import { CREDENTIALS_TABLE } from '@lanewatch/detector/contract';
import { SPEND_DIMENSIONS } from '../../contract/index.ts';
import type { SpendDimension, SpendScope } from '../../contract/index.ts';
import { spellingsOf } from '../ledger/spelling.ts';
import type { Scope } from '../ledger/scope.ts';

/** Dimensions that the registry knows of the key that matched an event; every other one is a column of the ledger. */
const REGISTERED = ['project', 'team', 'owner'] as const;
type Registered = (typeof REGISTERED)[number];
type Column = Exclude<SpendDimension, Registered>;

export const isRegistered = (dimension: SpendDimension): dimension is Registered =>
  (REGISTERED as readonly string[]).includes(dimension);

/** What each of the ledger's roll-ups of spend by day tells apart: detector/migrations/066. */
const ROLL_UPS: readonly (readonly SpendDimension[])[] = [
  ['user', 'lane', 'standing', ...REGISTERED],
  ['repo', 'org', 'environment', 'standing'],
  ['agent', 'model', 'org', 'environment', 'standing'],
];

/** Whether a question that tells apart by some dimensions and filters by others is answered from one of the roll-ups by day. */
export function isInRollUp(scope: Partial<SpendScope>, by?: SpendDimension): boolean {
  const filtered = SPEND_DIMENSIONS.filter((dimension) => scope[dimension] !== undefined);
  const asked = [...filtered, ...(by === undefined ? [] : [by])];
  return ROLL_UPS.some((known) => asked.every((dimension) => known.includes(dimension)));
}

/** What rows are grouped by; of what the registry knows, the credential, which {@link valueSql} then makes it of. */
export function keySql(by: SpendDimension): string {
  return isRegistered(by) ? 'credential_id' : `ledger.\`${by}\``;
}

/** Credentials with one of their facts, one row an id: a key has a record for each of its secrets. */
export function registeredSql(database: string, dimension: Registered): string {
  return `SELECT id, argMax(${dimension}, version) AS fact FROM ${database}.${CREDENTIALS_TABLE} FINAL WHERE NOT is_removed GROUP BY id`;
}

/** How groups become values: what stands after FROM, and the value's name there. */
export function valueSql(database: string, by: SpendDimension, groups: string): { from: string; value: string } {
  if (!isRegistered(by)) return { from: `(${groups}) AS part`, value: 'toString(part.key)' };
  const facts = registeredSql(database, by);
  return {
    from: `(${groups}) AS part LEFT JOIN (${facts}) AS registered ON registered.id = toString(part.key)`,
    value: 'registered.fact',
  };
}

/** Conditions of a query's filters. Values are parameters only. */
export function filterSql(database: string, scope: Partial<SpendScope>): Scope {
  const where: string[] = [];
  const parameters: Record<string, unknown> = {};
  for (const dimension of SPEND_DIMENSIONS) {
    const values = scope[dimension];
    if (values === undefined) continue;
    const name = `f_${dimension}`;
    if (!isRegistered(dimension)) {
      parameters[name] = spellingsOf(dimension satisfies Column, values);
      where.push(`ledger.\`${dimension}\` IN {${name}:Array(String)}`);
      continue;
    }
    parameters[name] = values;
    const facts = registeredSql(database, dimension);
    const named = `credential_id IN (SELECT id FROM (${facts}) WHERE fact != '' AND fact IN {${name}:Array(String)})`;
    const without = `credential_id NOT IN (SELECT id FROM (${facts}) WHERE fact != '')`;
    where.push(values.includes('') ? `(${named} OR ${without})` : named);
  }
  return { where: where.length === 0 ? '1' : where.join(' AND '), parameters };
}
