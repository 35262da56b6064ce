import { FAULTS, type FaultName } from './faults.ts';
import type { MutantResult } from './mutants/mutants.ts';
import type { FaultRecord, RunResult } from './run.ts';
import type { BusKind } from './system/broker.ts';

/** The results of a campaign as Markdown tables, for the terminal and for RESULTS.md alike. */
export function summaryOf(results: readonly RunResult[]): string {
  const buses = [...new Set(results.map(({ bus }) => bus))];
  return buses
    .map((bus) =>
      ofBus(
        bus,
        results.filter((result) => result.bus === bus),
      ),
    )
    .join('\n\n');
}

function ofBus(bus: BusKind, results: readonly RunResult[]): string {
  const faults = results.flatMap((result) => result.faults);
  const minutes = (results.reduce((sum, { tookMs }) => sum + tookMs, 0) / 60_000).toFixed(1);
  const kinds = FAULTS.filter((kind) => faults.some(({ fault }) => fault === kind));
  const names = results[0]?.checks.map(({ name }) => name) ?? [];
  const totals = new Map<string, number>();
  for (const { counts } of results)
    for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count);
  return [
    `${bus}: ${faults.length} faults in ${results.length} run(s), ${minutes} min, seed(s) ${results.map(({ seed }) => seed).join(', ')}`,
    '',
    table(
      ['fault', 'times', 'recovery, median', 'slowest'],
      [
        ...kinds.map((kind) =>
          faultLine(
            kind,
            faults.filter(({ fault }) => fault === kind),
          ),
        ),
      ],
    ),
    '',
    table(
      ['what must hold', 'held in'],
      names.map((name) => {
        const held = results.filter(({ checks }) => checks.some((check) => check.name === name && check.ok)).length;
        return [name, held === results.length ? `${held} of ${results.length}` : `**${held} of ${results.length}**`];
      }),
    ),
    '',
    table(
      ['what the runs met', 'count'],
      [...totals].map(([name, count]) => [name, count.toLocaleString('en')]),
    ),
  ].join('\n');
}

function faultLine(kind: FaultName, records: readonly FaultRecord[]): string[] {
  const recoveries = records.flatMap(({ recoveredMs }) => recoveredMs ?? []).sort((a, b) => a - b);
  const seconds = (ms: number | undefined) => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`);
  return [kind, String(records.length), seconds(recoveries[recoveries.length >> 1]), seconds(recoveries.at(-1))];
}

/** What did not hold, with examples and where the evidence is. */
export function violationsOf(results: readonly RunResult[]): string[] {
  return results.flatMap(({ bus, seed, checks, evidence }) => {
    const broken = checks.filter(({ ok }) => !ok);
    if (broken.length === 0) return [];
    return [
      `VIOLATION on ${bus} with seed ${seed}; data and logs: ${evidence ?? 'removed'}`,
      ...broken.flatMap(({ name, detail, examples }) => [
        `  ${name}: ${detail}`,
        ...examples.map((line) => `    ${line}`),
      ]),
    ];
  });
}

/** What held, with examples of what did not, and what was met. */
export function checksTable({ checks, counts }: Pick<RunResult, 'checks' | 'counts'>): string {
  const lines = checks.map(({ name, ok, detail, examples }) => [
    name,
    ok ? 'held' : '**broken**',
    [detail, ...examples].join('; '),
  ]);
  const met = Object.entries(counts).map(([name, count]) => [name, count.toLocaleString('en')]);
  return [table(['what must hold', '', 'compared'], lines), '', table(['what the run met', 'count'], met)].join('\n');
}

/** One line per mutant: caught by what, or not. */
export function mutantTable(results: readonly MutantResult[]): string {
  return table(
    ['mutant', 'bus', 'faults', 'verdict'],
    results.map(({ mutant, bus, caught, broken, result }) => [
      mutant.title,
      bus,
      `${result.faults.length} × ${mutant.faults[0] ?? ''}`,
      caught
        ? `caught: ${broken.map(({ name, detail }) => `"${name}" (${detail})`).join('; ')}`
        : `**SURVIVED**: "${mutant.breaks}" held`,
    ]),
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
