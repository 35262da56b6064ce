import type { RuleSettings, SuppressField } from '@lanewatch/detector/contract';

/** What a notice is held together with others by. */
interface Told {
  rule: string;
  org: string;
  credential_id: string;
  /** JSON. */
  facts: string;
}

/**
 * What findings of a rule have to agree in for people to be told of one of them only; null where each is told. A finding that has none of the
 * values agrees with no other.
 */
export function suppressionKeyOf(told: Told, settings: Pick<RuleSettings, 'suppress_by'> | undefined): string | null {
  const fields = settings?.suppress_by ?? [];
  if (fields.length === 0) return null;
  const facts = JSON.parse(told.facts || '{}') as Record<string, unknown>;
  const valueOf = (field: SuppressField) =>
    field === 'org' || field === 'credential_id' ? told[field] : String(facts[field] ?? facts[`new_${field}`] ?? '');
  const values = fields.map(valueOf);
  return values.every((value) => value === '') ? null : JSON.stringify([told.rule, ...values]);
}
