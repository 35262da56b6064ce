import type { BenchResult } from './bench.ts';

/** The results as one Markdown table; a floor that is not reached is marked. */
export function table(results: BenchResult[]): string {
  const rows = results.map(({ id, what, against, unit, ours, peer, ratio, floor, note }) => {
    const verdict = ratio >= floor ? 'reached' : '**not reached**';
    const cells = [
      id,
      what,
      `${figure(ours)} ${unit}`,
      `${against}: ${figure(peer)} ${unit}`,
      `${ratio.toFixed(2)}×`,
      `${floor}×`,
      verdict,
    ];
    return `| ${cells.join(' | ')} |${note === undefined ? '' : `\n| | ${note} | | | | | |`}`;
  });
  return ['| | what | ours | against | ratio | floor | |', '|---|---|---|---|---|---|---|', ...rows].join('\n');
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 0 : 2);
}
