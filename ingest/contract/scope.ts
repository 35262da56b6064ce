// Scopes: what a credential may do to which resources. Pure text work without Node imports, because forms show in the browser what a
// scope allows. This file is the one place that says how paths are written:
//
// - A resource is a path of segments parted by `/`: `usage-events`, `runs/r_81/replay`. One `/` in front may be there and says nothing.
// - A resource filter is a path, too, in which `*` may stand
//   - for one whole segment: `runs/*/replay` allows `runs/r_81/replay`, and neither `runs/replay` nor `runs/a/b/replay`;
//   - at the very end, for any ending: `runs/*` allows everything below `runs` and not `runs` itself, `runs/r_8*` allows `runs/r_8`,
//     `runs/r_81` and `runs/r_81/replay`, and `*` allows everything.
// - Segments hold letters, digits and `. _ ~ : @ + = -`. No segment is empty, `.` or `..`; nothing is percent-decoded; upper and lower
//   case differ. What is written otherwise is no path: no filter allows it, and as a filter it allows nothing.

export const SCOPE_ACTIONS = ['read', 'write', 'execute', 'admin', '*'] as const;
export type ScopeAction = (typeof SCOPE_ACTIONS)[number];
/** What can be asked for; `*` only stands in scopes. */
export const ACTIONS_ASKED = ['read', 'write', 'execute', 'admin'] as const;
export type AskedAction = (typeof ACTIONS_ASKED)[number];

export interface Scope {
  action: ScopeAction;
  resource: string;
}

/** Longest resource and filter, in characters. */
export const RESOURCE_CHARS_MAX = 256;

const SEGMENT = /^[A-Za-z0-9._~:@+=-]+$/;
/** A last segment of a filter that ends in `*`, without it; '' for `*` alone. */
const OPEN_SEGMENT = /^([A-Za-z0-9._~:@+=-]*)\*$/;

/** A filter that is a path: segments, null for one that may be any, and what the rest must begin with when the end is open. */
interface Filter {
  segments: (string | null)[];
  openEnd: string | null;
}

const isSegment = (text: string): boolean => SEGMENT.test(text) && text !== '.' && text !== '..';

function segmentsOf(path: string): string[] {
  return (path.startsWith('/') ? path.slice(1) : path).split('/');
}

function parseFilter(text: string): Filter | null {
  if (text.length > RESOURCE_CHARS_MAX) return null;
  const segments = segmentsOf(text);
  const openEnd = OPEN_SEGMENT.exec(segments.at(-1) ?? '')?.[1] ?? null;
  // `..*` would read as a step upwards with any ending.
  if (openEnd === '.' || openEnd === '..') return null;
  const closed = openEnd === null ? segments : segments.slice(0, -1);
  if (!closed.every((segment) => segment === '*' || isSegment(segment))) return null;
  return { segments: closed.map((segment) => (segment === '*' ? null : segment)), openEnd };
}

function parseResource(text: string): string[] | null {
  if (text.length > RESOURCE_CHARS_MAX) return null;
  const segments = segmentsOf(text);
  return segments.every(isSegment) ? segments : null;
}

function filterAllows({ segments, openEnd }: Filter, resource: readonly string[]): boolean {
  if (openEnd === null ? resource.length !== segments.length : resource.length <= segments.length) return false;
  for (let at = 0; at < segments.length; at++) {
    const wanted = segments[at];
    if (wanted !== null && wanted !== resource[at]) return false;
  }
  return openEnd === null || resource[segments.length]!.startsWith(openEnd);
}

/** Whether a scope's action covers one that is asked for. `admin` is full control, so it covers the others as `*` does. */
function actionCovers(granted: ScopeAction, asked: AskedAction): boolean {
  return granted === asked || granted === 'admin' || granted === '*';
}

/**
 * Whether scopes allow an action on a resource.
 * @returns false for a resource that is no path, and for every filter that is none
 */
export function scopeAllows(scopes: readonly Scope[], action: AskedAction, resource: string): boolean {
  return compileScopes(scopes)(action, resource);
}

/** {@link scopeAllows} for scopes that are asked often. */
export function compileScopes(scopes: readonly Scope[]): (action: AskedAction, resource: string) => boolean {
  const compiled = scopes.flatMap(({ action, resource }) => {
    const filter = parseFilter(resource);
    return filter === null ? [] : [{ action, filter }];
  });
  return (action, resource) => {
    const path = parseResource(resource);
    if (path === null) return false;
    return compiled.some((scope) => actionCovers(scope.action, action) && filterAllows(scope.filter, path));
  };
}

/** Why a text is no resource filter, for whoever typed it; null when it is one. */
export function resourceFilterFault(text: string): string | null {
  if (text.length > RESOURCE_CHARS_MAX) return `must have at most ${RESOURCE_CHARS_MAX} characters`;
  if (parseFilter(text) !== null) return null;
  if (text.includes('%')) return 'must be written plainly: nothing in it is percent-decoded';
  const segments = segmentsOf(text);
  if (segments.includes('')) return 'must not have empty segments, such as between two slashes or after the last one';
  if (segments.some((segment) => /^\.\.?\*?$/.test(segment))) return 'must not have . or .. as a segment';
  if (segments.some((segment) => segment !== '*' && segment.slice(0, -1).includes('*'))) {
    return 'may have * for a whole segment, or at its very end';
  }
  if (segments.slice(0, -1).some((segment) => segment !== '*' && segment.includes('*'))) {
    return 'may have * for a whole segment, or at its very end';
  }
  return 'must be segments of letters, digits and . _ ~ : @ + = - parted by /, such as runs/*';
}

/** Whether scopes let a credential trigger workflows or administer, which takes a fresh second factor to grant. */
export function isPrivileged(scopes: readonly Scope[]): boolean {
  return scopes.some(({ action }) => action === 'execute' || action === 'admin' || action === '*');
}
