import { RULE_CATALOGUE } from '../contract/index.ts';
import { falseRateOf, medianOf, recallOf, type Score } from './score.ts';

/** The table per incident and per rule, and the three figures as its last lines. */
export function reportOf(score: Score): string {
  return [
    incidentTable(score),
    '',
    ruleTable(score),
    '',
    `recall ${recallOf(score).toFixed(2)}`,
    `false findings per 1,000 lanes and day ${falseRateOf(score).toFixed(2)}`,
    `median time to finding ${(medianOf(score.delaysMs) / 1000).toFixed(1)} s`,
  ].join('\n');
}

/** False findings and missed incidents line by line, for whoever tunes rules. */
export function falseLines({ falseFindings, outcomes }: Score): string {
  const missed = outcomes
    .filter(({ found }) => found.length === 0)
    .map(({ label }) => `missed ${label.id} ${label.from} to ${label.to} on ${label.lanes.length} lanes\n`);
  const wrong = falseFindings.map(
    ({ finding, severity, happenedMs }) =>
      `false ${finding.rule} ${severity} ${new Date(happenedMs).toISOString()} ${finding.credential_id || finding.hint} ${JSON.stringify(finding.facts)}\n`,
  );
  return [...missed, ...wrong].join('');
}

function incidentTable({ outcomes }: Score): string {
  const rows = [...Map.groupBy(outcomes, ({ label }) => label.kind)].map(([kind, own]) => {
    const found = own.filter((outcome) => outcome.found.length > 0);
    const minutes = found.map(
      ({ label, found: findings }) =>
        (Math.min(...findings.map(({ foundMs }) => foundMs)) - Date.parse(label.from)) / 60_000,
    );
    const rules = new Set(found.flatMap((outcome) => outcome.found.map(({ finding }) => finding.rule)));
    return [
      kind,
      String(own.length),
      String(found.length),
      found.length === 0 ? '' : durationOf(medianOf(minutes)),
      [...rules].sort().join(' '),
      [...new Set(own.flatMap(({ label }) => label.rules))].join(' '),
    ];
  });
  return table(['incident', 'there', 'found', 'since its first deed', 'found by', 'expected'], rows);
}

function ruleTable({ outcomes, falseFindings }: Score): string {
  const about = outcomes.flatMap(({ found }) => found);
  const rows = RULE_CATALOGUE.map(({ id, title }) => {
    const right = new Set(about.filter(({ finding }) => finding.rule === id).map(({ finding }) => finding.id)).size;
    const wrong = falseFindings.filter(({ finding }) => finding.rule === id).length;
    const incidents = outcomes.filter(({ found }) => found.some(({ finding }) => finding.rule === id)).length;
    const precision = right + wrong === 0 ? '' : (right / (right + wrong)).toFixed(2);
    return [id, title, String(right), String(wrong), precision, String(incidents)];
  });
  return table(['rule', 'title', 'right', 'false', 'precision', 'incidents'], rows);
}

function durationOf(minutes: number): string {
  if (minutes < 1) return `${Math.round(minutes * 60)} s`;
  if (minutes < 120) return `${minutes.toFixed(0)} min`;
  return `${(minutes / 60).toFixed(0)} h`;
}

/** Columns as wide as their widest cell; those of numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]!.length)));
  const isNumber = head.map((_name, at) => rows.every((row) => /^[\d.]*$/.test(row[at]!)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (isNumber[at] === true ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
