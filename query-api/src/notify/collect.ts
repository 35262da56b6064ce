import { SEVERITIES } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { JUDGED_SQL, judgedOf } from '../findings/rows.ts';
import type { JudgedRow } from '../findings/rows.ts';
import { findingStatus, readTriage, resolvedAtMs, severityNow } from '../findings/triage.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { RegistryView } from '../registry/view.ts';
import { readSettings } from '../rules/read-rules.ts';
import type { ChannelRow } from './channels.ts';
import { afterQuiet } from './when.ts';

const ROWS_PER_INSERT = 1_000;

export interface CollectParts {
  store: ClickHouse;
  db: RegistryDatabase;
  registry: RegistryView;
}

interface Candidate {
  row: JudgedRow & { credential_id: string };
  severity: JudgedRow['severity'];
  opening: number;
  isOpen: boolean;
  /** Of a rule whose findings are kept and not told. */
  isMonitored: boolean;
}

/**
 * Puts down what is to be told: of each channel every finding that is open, or open again, and that it wants. Putting it down again changes
 * nothing, so it may be cut off anywhere. What was there before a channel is put down as told, and so is what a rule in monitor mode finds:
 * nobody hears of it later, when the rule is set to notify.
 */
export async function collectNotices(
  { store, db, registry }: CollectParts,
  channels: readonly ChannelRow[],
  nowMs: number,
): Promise<void> {
  const wanting = channels.filter(({ enabled, baselined_at: baselined }) => enabled || baselined === null);
  if (wanting.length === 0) return;
  const [triage, settings] = await Promise.all([readTriage(db, nowMs), readSettings(db)]);
  const rows = await store.rows<JudgedRow & { credential_id: string }>(
    `SELECT ${JUDGED_SQL}, credential_id FROM ${store.database}.findings AS findings FINAL`,
  );
  const candidates = rows.map((row): Candidate => {
    const { status } = findingStatus(judgedOf(row), triage);
    const opening = status === 'reopened' ? resolvedAtMs(judgedOf(row), triage) : 0;
    const isMonitored = settings.get(row.rule)?.settings.mode === 'monitor';
    const isOpen = status === 'open' || status === 'reopened';
    return { row, severity: severityNow(row, triage), opening, isOpen, isMonitored };
  });
  const { byId } = await registry.current();
  for (const channel of wanting) {
    const isBaseline = channel.baselined_at === null;
    const told = candidates.filter((one) => {
      if (isBaseline) return true;
      const { project = '', owner = '' } = byId.get(one.row.credential_id) ?? {};
      return one.isOpen && isWantedBy(channel, { severity: one.severity, org: one.row.org, project, owner });
    });
    await putDown(db, channel, told, nowMs);
    if (isBaseline) {
      const baselined_at = new Date(nowMs);
      await db.updateTable('channels').set({ baselined_at }).where('id', '=', channel.id).execute();
    }
  }
}

/** Whether a channel tells of a finding. Pure. */
export function isWantedBy(
  channel: Pick<ChannelRow, 'severity' | 'orgs' | 'projects' | 'owners'>,
  finding: { severity: JudgedRow['severity']; org: string; project: string; owner: string },
): boolean {
  const isOne = (names: readonly string[], name: string) => names.length === 0 || names.includes(name);
  return (
    SEVERITIES.indexOf(finding.severity) >= SEVERITIES.indexOf(channel.severity) &&
    isOne(channel.orgs, finding.org) &&
    isOne(channel.projects, finding.project) &&
    isOne(channel.owners, finding.owner)
  );
}

async function putDown(
  db: RegistryDatabase,
  channel: ChannelRow,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<void> {
  const known = await db
    .selectFrom('channel_notices')
    .select(['finding_id', 'opening'])
    .where('channel_id', '=', channel.id)
    .execute();
  const held = new Set(known.map(({ finding_id: id, opening }) => `${id}/${opening}`));
  const isBaseline = channel.baselined_at === null;
  const fresh = candidates.filter(({ row, opening }) => !held.has(`${row.id}/${opening}`));
  for (let from = 0; from < fresh.length; from += ROWS_PER_INSERT) {
    const values = fresh.slice(from, from + ROWS_PER_INSERT).map(({ row, opening, isMonitored }) => ({
      ...{ channel_id: channel.id, finding_id: row.id, opening, created_at: new Date(nowMs) },
      state: isBaseline || isMonitored ? ('skipped' as const) : ('waiting' as const),
      ...{ due_at: new Date(afterQuiet(channel, nowMs)), delivery_id: null, sent_at: null },
    }));
    await db
      .insertInto('channel_notices')
      .values(values)
      .onConflict((conflict) => conflict.columns(['channel_id', 'finding_id', 'opening']).doNothing())
      .execute();
  }
}
