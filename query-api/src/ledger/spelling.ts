import { canonicalNames } from '@lanewatch/ingest/contract';
import type { LEDGER_FILTER_COLUMNS } from '../../contract/index.ts';

const NO_NAMES = {
  ...{ user: '', ip: '', host: '', agent: '', agent_version: '' },
  ...{ repo: '', provider: '', served_by: '', model: '' },
};
type NamedColumn = keyof typeof NO_NAMES;

const isNamed = (column: string): column is NamedColumn => column in NO_NAMES;

/**
 * What a filter's values mean in a column: each as it is given, because rows of before canonical names have it so, and in the one form
 * that the ledger stores, so that any spelling of a person, address, host, agent, repository or model finds their rows. Pure.
 */
export function spellingsOf(column: (typeof LEDGER_FILTER_COLUMNS)[number], values: readonly string[]): string[] {
  if (!isNamed(column)) return [...values];
  const canonical = values.map(
    (value) => canonicalNames({ ...NO_NAMES, [column]: value }, { redactions: 0, truncated: false })[column],
  );
  // What no form is left of is nothing that rows without a value are meant by.
  return [...new Set([...values, ...canonical.filter((name) => name !== '')])];
}
