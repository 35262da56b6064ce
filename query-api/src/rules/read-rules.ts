import { NOT_TRIED, RULE_CATALOGUE, SUPPRESS_MS_DEFAULT, settableParameters } from '@lanewatch/detector/contract';
import type { RuleDescription, RuleId, RuleSettings } from '@lanewatch/detector/contract';
import type { RuleItem } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { RegistryTransaction } from '../registry/database.ts';

/** How far back it is counted what rules found. */
const COUNTED_MS = 30 * 86_400_000;

/** A version of a rule's settings as it is stored. */
export interface StoredSettings {
  settings: RuleSettings;
  setAt: Date;
  setBy: string;
  sentAt: Date | null;
}

/** The rule of this id. @throws {ProblemError} `not_found` */
export function ruleOf(id: string): RuleDescription & { id: RuleId } {
  const rule = RULE_CATALOGUE.find((other) => other.id === id);
  if (rule === undefined) throw new ProblemError('not_found', 'No rule has this id.');
  return rule;
}

/** The newest settings of each rule that was ever set. */
export async function readSettings(
  db: RegistryDatabase | RegistryTransaction,
  id?: string,
): Promise<Map<string, StoredSettings>> {
  const rows = await db
    .selectFrom('rule_settings')
    .selectAll()
    .$if(id !== undefined, (query) => query.where('rule', '=', id!))
    .orderBy('version')
    .execute();
  return new Map(
    rows.map(({ rule, settings, set_at: setAt, set_by: setBy, sent_at: sentAt }) => [
      rule,
      { settings, setAt, setBy, sentAt },
    ]),
  );
}

/** Rules as they are set, with what they found. */
export async function readRules(
  parts: { db: RegistryDatabase; store: ClickHouse; now: () => number },
  id?: string,
): Promise<RuleItem[]> {
  const since = new Date(parts.now() - COUNTED_MS);
  const [settings, found, resolved] = await Promise.all([
    readSettings(parts.db, id),
    parts.store.rows<{ rule: string; findings: number | string }>(
      `SELECT rule, uniqExact(id) AS findings FROM ${parts.store.database}.findings
       WHERE last_seen >= {since:DateTime64(3, 'UTC')} GROUP BY rule`,
      { since: since.toISOString().replace('T', ' ').replace('Z', '') },
    ),
    parts.db
      .selectFrom('finding_triage')
      .select(['finding_id', 'resolution'])
      .where('state', '=', 'resolved')
      .where('state_at', '>=', since)
      .execute(),
  ]);
  const findings = new Map(found.map(({ rule, findings: count }) => [rule, Number(count)]));
  return RULE_CATALOGUE.filter((rule) => id === undefined || rule.id === id).map((rule) => {
    const own = resolved.filter(({ finding_id: finding }) => finding.startsWith(`${rule.id}-`));
    return {
      ...itemOf(rule, settings.get(rule.id)),
      findings: findings.get(rule.id) ?? 0,
      resolved: own.length,
      resolved_false: own.filter(({ resolution }) => resolution === 'false_positive').length,
    };
  });
}

function itemOf(
  rule: RuleDescription & { id: RuleId },
  stored: StoredSettings | undefined,
): Omit<RuleItem, 'findings' | 'resolved' | 'resolved_false'> {
  const { id, title, condition, severities, decidedBy, runbook, parameters } = rule;
  const settings = stored?.settings;
  const settable = new Set(settableParameters(id).map(({ name }) => name));
  return {
    ...{ id, title, condition, severities: [...severities], decided_by: decidedBy, runbook: [...runbook] },
    tried_over: NOT_TRIED.has(id) ? 'nothing' : decidedBy === 'job' ? 'now' : 'events',
    enabled: settings?.enabled ?? true,
    mode: settings?.mode ?? 'notify',
    severity: settings?.severity ?? '',
    parameters: parameters.map(({ name, description, unit, default: value, minimum }) => ({
      ...{ name, description, default: value },
      unit: unit ?? '',
      value: settings?.parameters[name] ?? value,
      minimum: typeof value === 'number' ? (minimum ?? 0) : null,
      settable: settable.has(name),
    })),
    orgs: settings?.orgs ?? [],
    projects: settings?.projects ?? [],
    environments: settings?.environments ?? [],
    suppress_by: settings?.suppress_by ?? [],
    suppress_ms: settings?.suppress_ms ?? SUPPRESS_MS_DEFAULT,
    version: settings?.version ?? 0,
    set_at: stored?.setAt.toISOString() ?? null,
    set_by: stored?.setBy ?? '',
    effective_from: settings?.effective_from ?? null,
    published: stored === undefined || stored.sentAt !== null,
  };
}
