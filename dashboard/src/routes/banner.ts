import type { Overview } from '@lanewatch/query-api/contract';
import { counted } from '#lib/format/count.ts';
import { windowName } from '#lib/ui/windows.ts';

/**
 * How the page opens. Calm is said only when there was something to judge: no data is no all-clear, and neither are events that
 * name no key.
 */
export type BannerState = 'risk' | 'doubt' | 'blind' | 'unnamed' | 'calm';

/** Which banner an overview calls for. */
export function bannerStateOf(overview: Overview): BannerState {
  if (riskyLanes(overview) > 0) return 'risk';
  if (overview.doubtful_lanes > 0) return 'doubt';
  if (overview.events === 0) return 'blind';
  return overview.keys_observed === 0 ? 'unnamed' : 'calm';
}

/** How many lanes the banner is about; it names only the first of them. */
function riskyLanes({ unknown_lanes: unknown, retired_lanes: retired }: Overview): number {
  return unknown + retired;
}

/** The first line of the banner. */
export function bannerTitle(overview: Overview): string {
  switch (bannerStateOf(overview)) {
    case 'risk':
      return riskTitle(overview);
    case 'doubt':
      return `No unknown key, but ${counted(overview.doubtful_lanes, 'ambiguous lane')}`;
    case 'blind':
      return `Nothing received in ${windowName(overview.window)}`;
    case 'unnamed':
      return 'No event names its key';
    case 'calm':
      return overview.unattributed_events > 0
        ? 'Every key that events name is registered'
        : 'Every key in use is registered';
  }
}

function riskTitle({ unknown_lanes: unknown, retired_lanes: retired }: Overview): string {
  if (unknown > 0 && retired > 0) return `${counted(unknown, 'unknown API key')}, ${retired} revoked or expired`;
  if (unknown > 0) return counted(unknown, 'unknown API key');
  return `${counted(retired, 'revoked or expired API key')} in use`;
}
