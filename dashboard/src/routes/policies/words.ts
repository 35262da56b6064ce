import type { Tone } from '#lib/ui/Badge.svelte';
import type { IconName } from '#lib/ui/Icon.svelte';
import {
  POLICY_FACTS,
  type PolicyId,
  type PolicyMode,
  type PolicySettings,
} from '@lanewatch/query-api/contract/policy-facts';

/** States of a policy in words, each with its sign. */
export const MODES: Readonly<Record<PolicyMode, { word: string; tone: Tone; icon: IconName; about: string }>> = {
  off: { word: 'Off', tone: 'neutral', icon: 'unattributed', about: 'nothing is looked at' },
  watch: { word: 'Watching', tone: 'warn', icon: 'info', about: 'what breaks it is shown and told' },
  enforce: { word: 'Enforced', tone: 'good', icon: 'known', about: 'keys that break it are changed by themselves' },
};

/** What a state means for a policy. */
export const aboutOf = (id: PolicyId, mode: PolicyMode): string =>
  mode === 'enforce' && POLICY_FACTS[id].isOfRequests ? 'such requests get 403' : MODES[mode].about;

const MINUTES_PER_DAY = 1440;

/** A length in days as people say it: below a day in hours or minutes. */
export function daysInWords(days: number): string {
  const minutes = Math.round(days * MINUTES_PER_DAY);
  const [count, unit] =
    minutes < 60 ? [minutes, 'minute'] : minutes < MINUTES_PER_DAY ? [minutes / 60, 'hour'] : [days, 'day'];
  const shown = Number(count.toFixed(1));
  return `${shown} ${unit}${shown === 1 ? '' : 's'}`;
}

/** The settings of a policy on one line. */
export function settingsInWords(id: PolicyId, settings: PolicySettings): string {
  return POLICY_FACTS[id].fields
    .map(({ name, label, kind, options }) => {
      const value = settings[name];
      if (kind === 'day_list') return `${(value as number[]).join(', ')} ${label.toLowerCase()}`;
      if (kind === 'choices')
        return `${label.toLowerCase()} ${(value as string[]).map((one) => options?.[one] ?? one).join(', ')}`;
      return `${label.toLowerCase()} ${kind === 'days' ? daysInWords(Number(value)) : String(value)}`;
    })
    .join(' · ');
}

/** A share in percent, never 100 while something is missing. */
export function percentOf(share: number | null): string {
  if (share === null) return '-';
  return `${share === 1 ? 100 : Math.min(99.9, Math.floor(share * 1000) / 10)} %`;
}
