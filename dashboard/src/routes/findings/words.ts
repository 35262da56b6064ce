import type { FindingItem } from '@lanewatch/query-api/contract';
import type { EntityKind } from '@lanewatch/query-api/contract/entity-address';
import { formatMoney } from '#lib/format/money.ts';
import { formatCount } from '#lib/format/count.ts';

/** A fact or parameter as people read it. */
interface Words {
  name: string;
  /** Each with the kind of page it has, where it has one. */
  values: { text: string; kind: EntityKind | 'credential' | null }[];
}

const SECOND_MS = 1_000;
const STEPS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [SECOND_MS, 'second'],
] as const;

/** A length of time in its largest whole unit: `30 minutes`, `90 minutes`, `1 day`. */
export function durationWords(ms: number): string {
  const [unitMs, unit] =
    STEPS.find(([step]) => ms >= step && ms % step === 0) ?? (ms === 0 ? [SECOND_MS, 'second'] : [1, 'millisecond']);
  const count = ms / unitMs;
  return `${formatCount(count)} ${unit}${count === 1 ? '' : 's'}`;
}

const KINDS: Record<string, EntityKind | 'credential'> = {
  ...{ user: 'user', users: 'user', people: 'user', endpoint: 'endpoint', endpoints: 'endpoint', ip: 'endpoint' },
  ...{ agent: 'agent', agents: 'agent', repo: 'repo', repos: 'repo', model: 'model', models: 'model' },
  ...{ session: 'session', sessions: 'session', org: 'org', credential_id: 'credential' },
};
const NAMES: Record<string, string> = {
  ip: 'address',
  repo: 'repository',
  repos: 'repositories',
  org: 'organisation',
  credential_id: 'registered key',
};
/** Units that a name ends with. */
const UNITS: readonly (readonly [suffix: string, words: (value: number) => string])[] = [
  ['_ms', durationWords],
  ['_usd', (value) => formatMoney(String(value))],
];

/** A fact or parameter with its unit: `spend_usd: "0.61"` is spend, $0.61; `session_active_ms: 1800000` is session active, 30 minutes. Pure. */
export function wordsOf(name: string, value: FindingItem['facts'][string]): Words {
  const [suffix, inWords] = UNITS.find(([end]) => name.endsWith(end)) ?? ['', null];
  const bare = suffix === '' ? name : name.slice(0, -suffix.length);
  const said = NAMES[bare] ?? bare.replaceAll('_', ' ');
  const kind = KINDS[bare] ?? null;
  if (Array.isArray(value)) return { name: said, values: value.map((text) => ({ text, kind })) };
  if (typeof value === 'boolean') return { name: said, values: [{ text: value ? 'yes' : 'no', kind: null }] };
  const number = typeof value === 'number' ? value : value.trim() === '' ? NaN : Number(value);
  if (inWords !== null && Number.isFinite(number))
    return { name: said, values: [{ text: inWords(number), kind: null }] };
  const text = typeof value === 'number' ? formatCount(value) : value;
  return { name: said, values: [{ text, kind: typeof value === 'number' ? null : kind }] };
}
