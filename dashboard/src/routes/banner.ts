import type { Overview } from '@lanewatch/query-api/contract';
import { counted } from '#lib/format/count.ts';

/** How the page opens. Calm is said only when there was something to judge: no data is no all-clear. */
export type BannerState = 'risk' | 'doubt' | 'blind' | 'calm';

/** Which banner an overview calls for. */
export function bannerStateOf(overview: Overview): BannerState {
  if (overview.banner.length > 0 || overview.unknown_lanes > 0) return 'risk';
  if (overview.doubtful_lanes > 0) return 'doubt';
  if (overview.events === 0) return 'blind';
  return 'calm';
}

/** The banner's first line. A list of lanes may be shorter than the counts, which then lead. */
export function bannerTitle(overview: Overview): string {
  const unknown = overview.unknown_lanes;
  const retired = overview.banner.filter((lane) => lane.standing !== 'unknown').length;
  if (unknown > 0 && retired > 0) return `${counted(unknown, 'unknown API key')}, ${retired} retired but in use`;
  if (unknown > 0) return counted(unknown, 'unknown API key');
  return `${counted(retired, 'revoked or expired API key')} in use`;
}

/** What is wrong with the collectors, in one phrase; '' when nothing is. */
export function collectorWarning(collectors: Overview['collectors']): string {
  const silent = collectors.filter((collector) => collector.state === 'silent').length;
  const never = collectors.filter((collector) => collector.state === 'never').length;
  const parts: string[] = [];
  if (silent > 0) parts.push(`${counted(silent, 'collector')} silent`);
  if (never > 0) parts.push(`${counted(never, 'collector')} never reported`);
  return parts.join(', ');
}
