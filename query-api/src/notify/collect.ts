import { SUPPRESS_MS_DEFAULT } from '@lanewatch/detector/contract';
import { SEVERITIES } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { JUDGED_SQL, judgedOf } from '../findings/rows.ts';
import type { JudgedRow } from '../findings/rows.ts';
import { findingStatus, readTriage, resolvedAtMs, severityNow } from '../findings/triage.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { RegistryView } from '../registry/view.ts';
import { readSettings } from '../rules/read-rules.ts';
import type { ChannelRow } from './channels.ts';
import { suppressionKeyOf } from './suppress.ts';
import { afterQuiet } from './when.ts';

const ROWS_PER_INSERT = 1_000;

export interface CollectParts {
  store: ClickHouse;
  db: RegistryDatabase;
  registry: RegistryView;
}

interface Candidate {
  row: JudgedRow & { credential_id: string; facts: string };
  severity: JudgedRow['severity'];
  opening: number;
  isOpen: boolean;
  /** Of a rule whose findings are kept and not told. */
  isMonitored: boolean;
  /** Of those that agree in it one is told within the time; null where each is. */
  suppressBy: string | null;
  suppressMs: number;
}

/**
 * Puts down what is to be told: of each channel every finding that is open, or open again, and that it wants. Putting it down again changes
 * nothing, so it may be cut off anywhere. What was there before a channel is put down as told, and so is what a rule in monitor mode finds:
 * nobody hears of it later, when the rule is set to notify. Nor of what agrees with one that was told shortly before.
 */
export async function collectNotices(
  { store, db, registry }: CollectParts,
  channels: readonly ChannelRow[],
  nowMs: number,
): Promise<void> {
  const wanting = channels.filter(({ enabled, baselined_at: baselined }) => enabled || baselined === null);
  if (wanting.length === 0) return;
  const [triage, settings] = await Promise.all([readTriage(db, nowMs), readSettings(db)]);
  const isAnySuppressed = [...settings.values()].some(({ settings: { suppress_by: by = [] } }) => by.length > 0);
  // What was found is the longest part of a finding, and nothing else here goes by it.
  const facts = isAnySuppressed ? 'facts' : `'' AS facts`;
  const rows = await store.rows<Candidate['row']>(
    `SELECT ${JUDGED_SQL}, credential_id, ${facts} FROM ${store.database}.findings AS findings FINAL`,
  );
  const candidates = rows.map((row): Candidate => {
    const { status } = findingStatus(judgedOf(row), triage);
    const opening = status === 'reopened' ? resolvedAtMs(judgedOf(row), triage) : 0;
    const own = settings.get(row.rule)?.settings;
    const isMonitored = own?.mode === 'monitor';
    const suppressBy = suppressionKeyOf(row, own);
    const suppressMs = own?.suppress_ms ?? SUPPRESS_MS_DEFAULT;
    const isOpen = status === 'open' || status === 'reopened';
    return { row, severity: severityNow(row, triage), opening, isOpen, isMonitored, suppressBy, suppressMs };
  });
  const keys = new Map(
    candidates.flatMap(({ row, suppressBy }) => (suppressBy === null ? [] : [[row.id, suppressBy]])),
  );
  const { byId } = await registry.current();
  for (const channel of wanting) {
    const isBaseline = channel.baselined_at === null;
    const told = candidates.filter((one) => {
      if (isBaseline) return true;
      const { project = '', owner = '' } = byId.get(one.row.credential_id) ?? {};
      return one.isOpen && isWantedBy(channel, { severity: one.severity, org: one.row.org, project, owner });
    });
    await putDown(db, channel, told, keys, nowMs);
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
  keys: ReadonlyMap<string, string>,
  nowMs: number,
): Promise<void> {
  const known = await db
    .selectFrom('channel_notices')
    .select(['finding_id', 'opening', 'state', 'created_at'])
    .where('channel_id', '=', channel.id)
    .execute();
  const held = new Set(known.map(({ finding_id: id, opening }) => `${id}/${opening}`));
  const isBaseline = channel.baselined_at === null;
  const isFresh = ({ row, opening }: Candidate) => !held.has(`${row.id}/${opening}`);
  // The gravest first: of those that agree it is the one that is told.
  const fresh = candidates
    .filter(isFresh)
    .sort((one, other) => SEVERITIES.indexOf(other.severity) - SEVERITIES.indexOf(one.severity));
  const isSuppressed = suppressionOf(keys, known, nowMs);
  for (let from = 0; from < fresh.length; from += ROWS_PER_INSERT) {
    const values = fresh.slice(from, from + ROWS_PER_INSERT).map((one) => ({
      ...{ channel_id: channel.id, finding_id: one.row.id, opening: one.opening, created_at: new Date(nowMs) },
      state: isBaseline || one.isMonitored || isSuppressed(one) ? ('skipped' as const) : ('waiting' as const),
      ...{ due_at: new Date(afterQuiet(channel, nowMs)), delivery_id: null, sent_at: null },
    }));
    await db
      .insertInto('channel_notices')
      .values(values)
      .onConflict((conflict) => conflict.columns(['channel_id', 'finding_id', 'opening']).doNothing())
      .execute();
  }
}

/**
 * Tells of one finding after the other whether one that agrees with it was told within the time before.
 * @param keys what findings agree in, by id; of those that are settled since as well
 */
function suppressionOf(
  keys: ReadonlyMap<string, string>,
  known: readonly { finding_id: string; state: string; created_at: Date }[],
  nowMs: number,
): (one: Candidate) => boolean {
  const toldMs = new Map<string, number>();
  for (const { finding_id, state, created_at } of known) {
    const key = keys.get(finding_id);
    if (key !== undefined && state !== 'skipped') toldMs.set(key, Math.max(created_at.getTime(), toldMs.get(key) ?? 0));
  }
  return ({ suppressBy, suppressMs }) => {
    if (suppressBy === null) return false;
    if (nowMs - (toldMs.get(suppressBy) ?? -Infinity) < suppressMs) return true;
    toldMs.set(suppressBy, nowMs);
    return false;
  };
}
