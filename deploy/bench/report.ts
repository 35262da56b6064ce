import { readFileSync } from 'node:fs';
import type { CpuInfo } from 'node:os';
import type { BenchResult } from './bench.ts';

const PACKAGES = ['kafkajs', '@clickhouse/client', 'chdb', 'lmdb', 'fastify'];

/** One line that says what the figures were measured on. */
export async function machineAndVersions(cpus: CpuInfo[], memoryBytes: number): Promise<string> {
  const versions = PACKAGES.map((name) => {
    const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
    return `${name} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
  });
  const gib = Math.round(memoryBytes / 2 ** 30);
  return `${cpus.length} × ${cpus[0]?.model ?? 'unknown processor'}, ${gib} GiB, Node ${process.versions.node}, ${versions.join(', ')}`;
}

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
