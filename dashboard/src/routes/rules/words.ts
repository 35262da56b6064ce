import type { RuleItem } from '@lanewatch/query-api/contract';

/** Where a rule holds, in words. */
export function scopeText({
  orgs,
  projects,
  environments,
}: Pick<RuleItem, 'orgs' | 'projects' | 'environments'>): string {
  const parts = [
    ['organisation', orgs],
    ['project', projects],
    ['environment', environments],
  ] as const;
  const named = parts.filter(([, names]) => names.length > 0).map(([kind, names]) => `${kind} ${names.join(', ')}`);
  return named.join('; ') || 'everything';
}

/** How much of what people resolved was false. */
export function falseShare({ resolved, resolved_false }: Pick<RuleItem, 'resolved' | 'resolved_false'>): string {
  return resolved === 0 ? '–' : `${resolved_false} of ${resolved}`;
}

/** A parameter's value with its unit, as people read it. */
export function valueText(value: string | number | boolean, unit: string): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (unit === 'ms' && typeof value === 'number') return durationText(value);
  if (unit === 'usd') return `$${value}`;
  if (unit === '' || unit === 'count' || unit === 'score') return String(value);
  return `${value} ${unit}`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

function durationText(ms: number): string {
  const unit = UNITS.find(([, each]) => ms >= each && ms % each === 0);
  if (unit === undefined) return `${ms} ms`;
  const count = ms / unit[1];
  return `${count} ${unit[0]}${count === 1 ? '' : 's'}`;
}
