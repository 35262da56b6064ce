import type { Finding, RuleSettings } from '../../contract/index.ts';
import { RISK_OF } from '../../contract/index.ts';
import { holdsFor, withSettings } from '../rules/live-rules.ts';
import { createSweeper, type Sweeper, type SweeperOptions } from './sweeper.ts';

/**
 * Jobs whose rules are as they are set when a job runs: parameters, on or off, severity, and where they hold.
 * @param settingsAt the newest settings of each rule by then
 */
export function settledSweeper(options: SweeperOptions, settingsAt: (nowMs: number) => RuleSettings[]): Sweeper {
  let made: { key: string; sweeper: Sweeper } | null = null;

  function at(nowMs: number): Sweeper {
    const settings = settingsAt(nowMs);
    const key = settings.map(({ rule, version }) => `${rule}/${version}`).join(' ');
    if (made?.key === key) return made.sweeper;
    const sweeper = createSweeper({
      ...options,
      overrides: settings.reduce(withSettings, options.overrides),
      async write(findings) {
        const some = asSet(findings, settings, options);
        if (some.length > 0) await options.write(some);
      },
    });
    made = { key, sweeper };
    return sweeper;
  }

  return {
    keys: (nowMs) => at(nowMs).keys(nowMs),
    guards: (nowMs) => at(nowMs).guards(nowMs),
    collectors: (nowMs) => at(nowMs).collectors(nowMs),
    floods: (nowMs) => at(nowMs).floods(nowMs),
    coverage: (nowMs) => at(nowMs).coverage(nowMs),
  };
}

/** Those findings whose rule is on and holds for their key, at the severity that is set. */
function asSet(
  findings: readonly Finding[],
  settings: readonly RuleSettings[],
  { records }: Pick<SweeperOptions, 'records'>,
): Finding[] {
  const byRule = new Map(settings.map((own) => [own.rule, own]));
  if (!findings.some(({ rule }) => byRule.has(rule))) return [...findings];
  const byId = new Map([...records()].map((record) => [record.id, record]));
  return findings.flatMap((finding) => {
    const own = byRule.get(finding.rule);
    // What counts the too many is of rows that the rule as it is set has held for.
    if (own === undefined || finding.facts['grouped'] === true) return [finding];
    const record = byId.get(finding.credential_id);
    if (!holdsFor(own, finding.org, record?.project ?? '', record?.environment ?? '')) return [];
    return [own.severity === '' ? finding : { ...finding, severity: own.severity, risk: RISK_OF[own.severity] }];
  });
}
