import type { z } from 'zod';

/** Query string parameters; a list repeats its name. Undefined, null and '' are left out. */
export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** Turns a query object into a query string with its question mark, or ''. */
export function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const values = Array.isArray(value) ? (value as readonly string[]) : [value];
    for (const one of values) if (one !== undefined && one !== null && one !== '') params.append(name, String(one));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** Parameters as an object; a name given several times becomes a list, empty values are left out. */
export function queryOf(params: Pick<URLSearchParams, 'keys' | 'getAll'>): Record<string, string | string[]> {
  // Names come from whoever made the address: built from entries, so that `__proto__` is a name like any other.
  return Object.fromEntries(
    [...new Set(params.keys())].flatMap((name): [string, string | string[]][] => {
      const values = params.getAll(name).filter((value) => value !== '');
      const [first] = values;
      return first === undefined ? [] : [[name, values.length === 1 ? first : values]];
    }),
  );
}

/**
 * What a page was asked for. A parameter that the schema refuses is left out and falls back to its default: an address typed
 * by hand or kept from an older release shows a page, not an error.
 */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, params: URLSearchParams): z.infer<Schema> {
  const query = queryOf(params);
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const refused = new Set(result.error.issues.map((issue) => String(issue.path[0])));
  return schema.parse(Object.fromEntries(Object.entries(query).filter(([name]) => !refused.has(name))));
}

/**
 * The same address with some parameters changed: null or '' removes one. The cursor always goes, because it belongs to the
 * list as it was.
 */
export function changedQuery(
  url: { pathname: string; searchParams: Iterable<[string, string]> },
  changes: Query,
): string {
  const kept = new Map<string, string[]>();
  for (const [name, value] of url.searchParams) {
    if (name === 'cursor' || Object.hasOwn(changes, name) || value === '') continue;
    kept.set(name, [...(kept.get(name) ?? []), value]);
  }
  return url.pathname + queryString(Object.fromEntries([...kept, ...Object.entries(changes)]));
}
