/**
 * Whether events of a lane name its key by a hint and no org. Several keys can have one hint, so that such events are unknown or
 * ambiguous whatever is registered, and registering the key changes nothing for them.
 */
export function isHintOnly({ lane, org }: { lane: string; org: string }): boolean {
  return lane.startsWith('hint_') && org === '';
}
