import { formatCount } from '#lib/format/count.ts';

/** How many there are, and how many of them are listed where that is fewer: `1,234, the 50 newest here`. */
export function countOf(listed: number, total: number): string {
  return total > listed ? `${formatCount(total)}, the ${formatCount(listed)} newest here` : formatCount(listed);
}
