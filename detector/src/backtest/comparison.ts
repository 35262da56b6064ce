import {
  BACKTEST_FINDINGS_MAX,
  RISK_OF,
  SEVERITIES,
  type BacktestCounts,
  type BacktestResult,
  type Finding,
} from '../../contract/index.ts';

/** What two settings of a rule find, added up. */
export interface Comparison {
  /**
   * Adds findings that may be the same on either side.
   * @param keyOf by what they are; their ids when left out
   */
  add(tried: readonly Finding[], present: readonly Finding[], keyOf?: (finding: Finding) => string): void;
  result(): BacktestResult;
}

export function createComparison(): Comparison {
  const tried = noCounts();
  const present = noCounts();
  const more = createGravest();
  const fewer = createGravest();
  let both = 0;
  let otherSeverity = 0;

  function count(findings: readonly Finding[], counts: BacktestCounts): void {
    for (const { severity, occurrences } of findings) {
      counts.findings++;
      counts.occurrences += occurrences;
      counts.by_severity[severity]++;
    }
  }

  return {
    add(some, others, keyOf = ({ id }) => id) {
      count(some, tried);
      count(others, present);
      const before = new Map(others.map((finding) => [keyOf(finding), finding]));
      for (const finding of some) {
        const key = keyOf(finding);
        const same = before.get(key);
        before.delete(key);
        if (same === undefined) more.add(finding);
        else {
          both++;
          if (same.severity !== finding.severity) otherSeverity++;
        }
      }
      for (const finding of before.values()) fewer.add(finding);
    },
    result: () => ({
      ...{ tried, present, both, other_severity: otherSeverity },
      ...{ more: more.findings(), more_count: more.count, fewer: fewer.findings(), fewer_count: fewer.count },
    }),
  };
}

function noCounts(): BacktestCounts {
  return { findings: 0, occurrences: 0, by_severity: { low: 0, medium: 0, high: 0, critical: 0 } };
}

/** Keeps the gravest findings, and counts all. */
function createGravest() {
  const bySeverity = new Map(SEVERITIES.map((severity) => [severity, [] as Finding[]]));
  let count = 0;
  return {
    add(finding: Finding): void {
      count++;
      const own = bySeverity.get(finding.severity)!;
      if (own.length < BACKTEST_FINDINGS_MAX) own.push(finding);
    },
    findings: (): Finding[] =>
      [...bySeverity.values()]
        .flat()
        .sort((left, right) => RISK_OF[right.severity] - RISK_OF[left.severity])
        .slice(0, BACKTEST_FINDINGS_MAX),
    get count() {
      return count;
    },
  };
}
