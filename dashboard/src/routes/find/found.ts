/** One thing that the command palette leads to. */
export interface Found {
  /** What it is listed under: `Go to`, `Do`, `Lanes`, `Registered keys`, or the plural of what events name. */
  kind: string;
  href: string;
  name: string;
  /** Said quietly beside the name; '' for nothing. */
  note: string;
}

/** Whether every word of a search stands in what is said of it. */
export function fits(one: Found, search: string): boolean {
  const text = `${one.name} ${one.note}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
