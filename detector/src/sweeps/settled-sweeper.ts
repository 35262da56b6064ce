import type { Finding, RuleSettings } from '../../contract/index.ts';
import { RISK_OF } from '../../contract/index.ts';
import type { RuleOverrides } from '../rules/parameters.ts';
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
      overrides: settings.reduce(withParameters, options.overrides),
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
    coverage: (nowMs) => at(nowMs).coverage(nowMs),
  };
}

function withParameters(overrides: RuleOverrides, { rule, parameters }: RuleSettings): RuleOverrides {
  return { ...overrides, [rule]: { ...overrides[rule as keyof RuleOverrides], ...parameters } };
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
  const isIn = (list: readonly string[], value: string) => list.length === 0 || list.includes(value);
  return findings.flatMap((finding) => {
    const own = byRule.get(finding.rule);
    if (own === undefined) return [finding];
    const record = byId.get(finding.credential_id);
    const holds =
      own.enabled &&
      isIn(own.orgs, finding.org) &&
      isIn(own.projects, record?.project ?? '') &&
      isIn(own.environments, record?.environment ?? '');
    if (!holds) return [];
    return [own.severity === '' ? finding : { ...finding, severity: own.severity, risk: RISK_OF[own.severity] }];
  });
}
