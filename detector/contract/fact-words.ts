import type { Finding } from './finding.ts';

/** A fact as people read it. */
export interface WordedFact {
  name: string;
  value: string;
}

/** Names that do not read well by taking their underscores away. */
const NAMES: Record<string, string> = {
  added: 'New within the window',
  credential_id: 'Credential',
  distance_km: 'Distance',
  endpoint_unresolved: 'Nobody known behind the address',
  fingerprint_sent: 'Fingerprint sent',
  hour_spend_usd: 'Spent within the hour',
  busiest_hour_usd: 'Busiest hour so far',
  people_count: 'People',
  people_count_is_minimum: 'There may be more people',
  people: 'Names of people',
  rule_count: 'Rules',
  session_active: 'Session is live',
  speed_km_h: 'Speed',
  spend_usd: 'Spend',
  unresolved_users: 'Users that name nobody',
  usual_hour_usd: 'Usual for that hour',
};

const LISTED_MAX = 5;

/**
 * A fact of a finding for people: its name in words, its value with unit.
 * @param name as the finding has it, such as `hour_spend_usd`
 */
export function factInWords(name: string, value: Finding['facts'][string]): WordedFact {
  const bare = name.replace(/_(usd|ms|km|km_h)$/, '').replaceAll('_', ' ');
  return { name: NAMES[name] ?? bare.charAt(0).toUpperCase() + bare.slice(1), value: valueInWords(name, value) };
}

function valueInWords(name: string, value: Finding['facts'][string]): string {
  if (Array.isArray(value)) return listInWords(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (name.endsWith('_usd')) return `$${Number(value).toFixed(2)}`;
  if (name.endsWith('_at')) return instantInWords(String(value));
  return typeof value === 'number' ? numberInWords(value) : value;
}

/** The first few, and how many there are besides. */
export function listInWords(values: readonly string[]): string {
  if (values.length <= LISTED_MAX) return values.join(', ');
  return `${values.slice(0, LISTED_MAX).join(', ')} and ${values.length - LISTED_MAX} more`;
}

/** With thousands apart. */
export function numberInWords(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** An RFC 3339 instant to the minute, in UTC; what is none, as it is. */
export function instantInWords(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
