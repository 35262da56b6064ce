/**
 * Kinds of things that events name beside their key. An endpoint is the address that a request came from, or the host where no address
 * is reported.
 */
export const ENTITY_KINDS = ['user', 'endpoint', 'agent', 'repo', 'model', 'session', 'org'] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

/** Before a value that can't stand in a path as it is. */
const ESCAPE = '~';

/**
 * A value as one segment of a path. Senders choose values: `..` would lead elsewhere, a slash would be two segments, and the empty value,
 * which stands for all that an event did not name, would be none. {@link valueOfSegment} has it back.
 * @returns percent-encoded; `~` for the empty value
 */
export function segmentOf(value: string): string {
  const isSpecial = value === '' || value === '.' || value === '..' || value.startsWith(ESCAPE);
  return (isSpecial ? ESCAPE : '') + encodeURIComponent(value.toWellFormed());
}

/** The value that a decoded segment stands for. */
export function valueOfSegment(segment: string): string {
  return segment.startsWith(ESCAPE) ? segment.slice(ESCAPE.length) : segment;
}
