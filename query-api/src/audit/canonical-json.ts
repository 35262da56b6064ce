/**
 * One text for one value, as RFC 8785 has it: names sorted by their UTF-16 units, no white space, numbers and texts as JavaScript writes
 * them. Undefined members are left out and dates become texts, as in JSON.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(JSON.parse(JSON.stringify(value))));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  // Without a prototype, so that a member named __proto__ stays a member.
  const result: Record<string, unknown> = Object.create(null);
  for (const [name, member] of entries) result[name] = sorted(member);
  return result;
}
