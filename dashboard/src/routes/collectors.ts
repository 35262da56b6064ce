import type { CollectorHealth } from '@lanewatch/query-api/contract';
import { counted } from '#lib/format/count.ts';
import type { Tone } from '#lib/ui/Badge.svelte';
import type { IconName } from '#lib/ui/Icon.svelte';

/** How each state looks, and whether a collector in it is one that should report. */
export const COLLECTOR_STATES: Record<
  CollectorHealth['state'],
  { icon: IconName; text: string; tone: Tone; isExpected: boolean }
> = {
  reporting: { icon: 'known', text: 'reporting', tone: 'good', isExpected: true },
  silent: { icon: 'warning', text: 'silent', tone: 'warn', isExpected: true },
  never: { icon: 'silent', text: 'nothing yet', tone: 'warn', isExpected: true },
  revoked: { icon: 'revoked', text: 'revoked', tone: 'neutral', isExpected: false },
  expired: { icon: 'expired', text: 'expired', tone: 'neutral', isExpected: false },
  gone: { icon: 'silent', text: 'gone', tone: 'neutral', isExpected: false },
};

/**
 * Accepted events of which nobody has said what became of them: neither stored nor dropped as repeated or unreadable nor on the bus.
 * A detector that is a report behind, one that was killed before it reported, or a loss. Never below 0: an ingest that was killed may
 * not have counted the last that it accepted, and what own producers sent was accepted by nobody.
 */
export function unaccountedOf(collector: CollectorHealth): number {
  const { accepted, stored, duplicates, dead_lettered, in_flight } = collector;
  return Math.max(0, accepted - stored - duplicates - dead_lettered - in_flight);
}

const inState = (collectors: readonly CollectorHealth[], state: CollectorHealth['state']) =>
  collectors.filter((one) => one.state === state).length;

/** How many collectors reported once and do not any more, in a phrase; '' for none. One that was never set up hides nothing that was seen before. */
export function silentWarning(collectors: readonly CollectorHealth[]): string {
  const silent = inState(collectors, 'silent');
  return silent > 0 ? `${counted(silent, 'collector')} silent` : '';
}

/** Which collectors do not report, in one phrase; '' when all do that should. */
export function silenceWarning(collectors: readonly CollectorHealth[]): string {
  const never = inState(collectors, 'never');
  return [silentWarning(collectors), never > 0 ? `${counted(never, 'collector')} never reported` : '']
    .filter((part) => part !== '')
    .join(', ');
}

/**
 * Events that own producers put on other partitions than their keys', and which producers those are. A collector's were put there by
 * ingest while the topic got more partitions, and nobody has to do anything about that.
 */
export function misplacedOf(collectors: readonly CollectorHealth[]): { count: number; sources: string[] } {
  const own = collectors.find(({ collector }) => collector === '');
  return { count: own?.moved ?? 0, sources: own?.moved_sources ?? [] };
}

/** What keeps the counts from being complete or the collectors from being heard, one phrase each; empty when nothing does. */
export function collectorFaults(collectors: readonly CollectorHealth[]): string[] {
  const total = (count: (one: CollectorHealth) => number) => collectors.reduce((sum, one) => sum + count(one), 0);
  const unaccounted = total(unaccountedOf);
  const dead = total((one) => one.dead_lettered);
  return [
    collectors.some((one) => COLLECTOR_STATES[one.state].isExpected) ? '' : 'no collector is left that could report',
    silenceWarning(collectors),
    unaccounted > 0 ? `${counted(unaccounted, 'event')} unaccounted for` : '',
    dead > 0 ? counted(dead, 'dead letter') : '',
  ].filter((fault) => fault !== '');
}
