import { laneOf } from '@lanewatch/ingest/contract';

const CACHED_MAX = 50_000;

/** {@link laneOf} for keys known by hint, remembered: it hashes, and the same few hints come again and again. */
export function createHintLanes(): (hint: string, org: string) => string {
  const cached = new Map<string, string>();
  return (hint, org) => {
    const key = `${hint}\n${org}`;
    const held = cached.get(key);
    if (held !== undefined) return held;
    if (cached.size >= CACHED_MAX) cached.clear();
    const lane = laneOf('', hint, org);
    cached.set(key, lane);
    return lane;
  };
}
