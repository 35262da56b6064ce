import { ruleSettingsSchema, type RuleSettings } from '../../contract/index.ts';
import type { RuleOverrides } from './parameters.ts';
import type { Rule } from './rule.ts';

/** A version of a rule, and the rule made of it. */
interface Version {
  settings: RuleSettings;
  fromMs: number;
  rule: Rule;
}

export interface LiveRules {
  /** The same objects for good; each is what its settings say at the event's receipt. */
  rules: Rule[];
  /** Takes a version off the rules topic, in any order and as often as it comes. False when it is none, or of a rule that is not here. */
  apply(value: Uint8Array): boolean;
  /** The newest version of each rule that takes effect by then. */
  at(nowMs: number): RuleSettings[];
}

/**
 * Rules whose settings change while events come. Which version an event is held against follows from its receipt alone, so that a
 * replay decides the same.
 * @param make the rules with these parameters; `overrides` of the configuration stand below those that are set
 */
export function liveRules(make: (overrides: RuleOverrides) => Rule[], overrides: RuleOverrides = {}): LiveRules {
  const versions = new Map<string, Version[]>();

  const ruleOf = (settings: RuleSettings) =>
    make(withSettings(overrides, settings)).find(({ id }) => id === settings.rule);

  return {
    rules: make(overrides).map((base) => live(base, () => versions.get(base.id))),
    apply(value) {
      const parsed = parse(value);
      if (parsed === null) return false;
      const known = versions.get(parsed.rule) ?? [];
      const rule = ruleOf(parsed);
      const version = { settings: parsed, fromMs: Date.parse(parsed.effective_from), rule: rule ?? NOWHERE };
      const others = known.filter(({ settings }) => settings.version !== parsed.version);
      versions.set(
        parsed.rule,
        // The newest first: it is the one that is asked for.
        [...others, version].sort((a, b) => b.settings.version - a.settings.version),
      );
      return true;
    },
    at: (nowMs) => [...versions.values()].flatMap((own) => own.find(({ fromMs }) => fromMs <= nowMs)?.settings ?? []),
  };
}

/** In place of a rule that a job decides: no event is held against it. */
const NOWHERE = { evaluate: () => null } as unknown as Rule;

function parse(value: Uint8Array): RuleSettings | null {
  try {
    return ruleSettingsSchema.parse(JSON.parse(Buffer.from(value).toString('utf8')));
  } catch {
    return null;
  }
}

/** @param versionsOf the newest first; undefined while the rule was never set */
function live(base: Rule, versionsOf: () => readonly Version[] | undefined): Rule {
  const versionAt = (atMs: number) => versionsOf()?.find(({ fromMs }) => fromMs <= atMs);
  return {
    ...base,
    get parameters() {
      return versionsOf()?.[0]?.rule.parameters ?? base.parameters;
    },
    evaluate(context) {
      const version = versionAt(context.row.received_at);
      if (version === undefined) return base.evaluate(context);
      const { row, credential } = context;
      if (!holdsFor(version.settings, row.org, credential?.record.project ?? '', row.environment)) return null;
      return version.rule.evaluate(context);
    },
    ...(base.testify !== undefined && {
      testify: (context) => (versionAt(context.row.received_at)?.rule ?? base).testify!(context),
    }),
    describe(lane, finding) {
      const version = versionAt(finding.last_received_at);
      const verdict = (version?.rule ?? base).describe(lane, finding);
      const severity = version?.settings.severity ?? '';
      return severity === '' ? verdict : { ...verdict, severity };
    },
  };
}

/** The parameters of the configuration, with those that are set for a rule above them. */
export function withSettings(overrides: RuleOverrides, { rule, parameters }: RuleSettings): RuleOverrides {
  return { ...overrides, [rule]: { ...overrides[rule as keyof RuleOverrides], ...parameters } };
}

/** Whether a rule that is set so holds here; '' where it is not known. */
export function holdsFor(
  { enabled, orgs, projects, environments }: RuleSettings,
  org: string,
  project: string,
  environment: string,
): boolean {
  const isIn = (list: readonly string[], value: string) => list.length === 0 || list.includes(value);
  return enabled && isIn(orgs, org) && isIn(projects, project) && isIn(environments, environment);
}
