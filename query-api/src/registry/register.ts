import { laneOf } from '@lanewatch/ingest/contract';
import type { z } from 'zod';
import type { credentialCreateSchema, Standing } from '../../contract/index.ts';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { ANSWERED_BY_REGISTERING } from '../findings/findings.ts';
import { findingStatus, readTriage } from '../findings/triage.ts';
import { standingNow } from './standing-now.ts';
import type { RegistryDatabase } from './database.ts';
import { draftCredential } from './draft.ts';
import type { CredentialRow } from './record.ts';
import { addCredential } from './registry.ts';
import type { LaneAnswer, RegistryChange } from './registry.ts';
import { snapshotOf } from './view.ts';
import type { RegistrySnapshot } from './view.ts';

const ANSWERED_RULES = Object.keys(ANSWERED_BY_REGISTERING);

interface OpenFinding {
  lane: string;
  fingerprint: string;
  hint: string;
  org: string;
}

/**
 * Registers or issues a credential: checks, writes, and resolves what it answers. The ledger is asked which findings that
 * touches; when it does not answer the registration still holds, and only the count in the answer stays at zero.
 * @throws {ProblemError} for a request that can't be used or a key that is there already
 */
export async function registerCredential(
  parts: { db: RegistryDatabase; store: ClickHouse; nowMs: number; onFault: (error: unknown) => void },
  input: z.output<typeof credentialCreateSchema>,
  actor: string,
): Promise<RegistryChange & { secret: string | null; standing: Standing; findingsResolved: number }> {
  const draft = draftCredential(input, actor, parts.nowMs);
  const open = await readAnswerable(parts.store, parts.db, draft.row).catch((error: unknown) => {
    parts.onFault(error);
    return [];
  });
  let answer: LaneAnswer = { resolved: [], unsettled: [] };
  let standing: Standing = 'known';
  const change = await addCredential(parts.db, draft, (sameHint) => {
    const registry = snapshotOf(0, [...sameHint.filter(({ id }) => id !== draft.row.id), draft.row]);
    answer = answerOf(draft.row, registry, open, parts.nowMs);
    standing = standingNow(draft.row, registry, parts.nowMs).standing;
    return answer;
  });
  const lanes = new Set(answer.resolved.map(({ lane }) => lane));
  const findingsResolved = open.filter(({ lane }) => lanes.has(lane)).length;
  return { ...change, secret: draft.secret, standing, findingsResolved };
}

/**
 * The lanes that a new credential makes known: its fingerprint's; the lane of its hint and org; and, when it has no
 * fingerprint, lanes of fingerprints seen with that hint and org. A hint that stays ambiguous resolves nothing, and one that
 * the credential makes ambiguous loses what an earlier registration resolved on it. Pure.
 */
function answerOf(row: CredentialRow, registry: RegistrySnapshot, open: OpenFinding[], nowMs: number): LaneAnswer {
  const lanes = new Map<string, { fingerprint: string; hint: string; org: string }>();
  const { fingerprint, hint, org } = row;
  if (fingerprint !== '') lanes.set(fingerprint, { fingerprint, hint, org });
  if (hint !== '' && org !== '') lanes.set(laneOf('', hint, org), { fingerprint: '', hint, org });
  for (const finding of open) if (!lanes.has(finding.lane)) lanes.set(finding.lane, finding);
  const answer: LaneAnswer = { resolved: [], unsettled: [] };
  for (const [lane, named] of lanes) {
    const now = standingNow(named, registry, nowMs);
    if (now.standing === 'known' && now.credential?.id === row.id) {
      answer.resolved.push({ lane, rules: ANSWERED_RULES, reason: `registered as ${row.name}` });
    } else if (now.standing === 'ambiguous') answer.unsettled.push(lane);
  }
  return answer;
}

/** Unresolved findings that the credential could answer. */
async function readAnswerable(store: ClickHouse, db: RegistryDatabase, row: CredentialRow): Promise<OpenFinding[]> {
  const rows = await store.rows<OpenFinding & { rule: string; last: number | string }>(
    `SELECT rule, lane, fingerprint, hint, org, toUnixTimestamp64Milli(last_received_at) AS last
     FROM ${store.database}.findings FINAL
     WHERE has({rules:Array(String)}, rule)
       AND (lane = {fingerprint:String} OR ({hint:String} != '' AND hint = {hint:String} AND org = {org:String}))`,
    { rules: ANSWERED_RULES, fingerprint: row.fingerprint, hint: row.hint, org: row.org },
    BRIEFLY,
  );
  const triage = await readTriage(db, rows);
  return rows.filter((finding) => {
    return findingStatus({ ...finding, lastReceivedMs: Number(finding.last) }, triage).status !== 'resolved';
  });
}
