import { POLICY_FACTS, POLICY_IDS, changesKeys } from '../../contract/index.ts';
import type { PolicyApplication, PolicyDetail, PolicyId, PolicyItem } from '../../contract/index.ts';
import { BRIEFLY } from '../clickhouse.ts';
import { windowScope } from '../ledger/scope.ts';
import { CREDENTIALS_BY_KEY } from '@lanewatch/detector/contract';
import { keyOf } from './apply.ts';
import type { CollectionRow } from './collections.ts';
import { inTurns, judge } from './evaluate.ts';
import { readFacts } from './facts.ts';
import type { PolicyParts } from './facts.ts';
import { readPolicies } from './settings.ts';
import type { PolicyRow } from './settings.ts';
import { NOTICE_KINDS } from './warn.ts';

const BREAKING_MAX = 200;
const NOTICES_MAX = 50;
const APPLICATIONS_MAX = 10;
const COLLECTIONS_MAX = 100;

type Breaking = PolicyDetail['breaking'][number];

/** Every policy, or one, with what it covers and what breaks it now. */
export async function readOverview(
  parts: PolicyParts,
  ids: readonly PolicyId[] = POLICY_IDS,
): Promise<{ item: PolicyItem; breaking: Breaking[] }[]> {
  const { db, registry, now } = parts;
  const set = await readPolicies(db);
  const facts = await readFacts(parts);
  const { all } = await registry.current();
  const sessions = await readSessions(parts);
  const nowMs = now();
  const tallies = new Map(
    ids.map((id) => [id, { covers: 0, violations: 0, sessions: 0, unknown: false, breaking: [] as Breaking[] }]),
  );
  for await (const row of inTurns(all)) {
    for (const [id, tally] of tallies) {
      const judged = judge(id, row, { set, facts, nowMs, modes: ['watch', 'enforce'] });
      if (judged === null) continue;
      tally.covers++;
      tally.sessions += sessions?.get(row.id) ?? 0;
      const { lastUse, worstOpen, refusals } = facts.of(row);
      if (id === 'usage_monitoring' && lastUse === 'unavailable') tally.unknown = true;
      if (id === 'suspicious_activity' && worstOpen === 'unavailable') tally.unknown = true;
      if (id === 'proxy_refusal' && refusals === null) tally.unknown = true;
      if (judged.why === null) continue;
      tally.violations++;
      if (tally.breaking.length < BREAKING_MAX) tally.breaking.push({ ...keyOf(row), why: judged.why });
    }
  }
  return [...tallies].map(([id, tally]) => {
    const row = set.row(id);
    return {
      breaking: tally.breaking,
      item: {
        id,
        ...setOf(row ?? { ...NEVER_SET, settings: POLICY_FACTS[id].defaults }),
        overrides: set.overrides(id).map(setOf),
        covers: tally.covers,
        violations: tally.violations,
        compliance: tally.covers === 0 ? null : (tally.covers - tally.violations) / tally.covers,
        sessions_governed: sessions === null ? null : tally.sessions,
        unknown: tally.unknown,
      },
    };
  });
}

const NEVER_SET = { project: '', mode: 'off', version: 0, updated_at: null, updated_by: '' } as const;

function setOf(
  row: Omit<PolicyRow, 'policy' | 'updated_at'> & { updated_at: Date | null },
): PolicyItem['overrides'][number] {
  const { project, mode, settings, version, updated_at: at, updated_by } = row;
  return { project, mode, settings, version, updated_at: at?.toISOString() ?? null, updated_by };
}

/** Sessions of the last 7 days by credential, counted on each of its lanes; null when the ledger does not answer. */
async function readSessions(parts: PolicyParts): Promise<ReadonlyMap<string, number> | null> {
  const { store, now, onFault } = parts;
  const scope = windowScope('7d', now());
  try {
    const rows = await store.rows<{ id: string; sessions: number | string }>(
      `SELECT dictGet('${store.database}.${CREDENTIALS_BY_KEY}', 'id', lane) AS id, sum(session_count) AS sessions
       FROM (SELECT lane, uniqExactIf(session, session != '') AS session_count FROM ${store.database}.ledger
         WHERE ${scope.where} GROUP BY lane)
       WHERE id != '' AND session_count > 0 GROUP BY id`,
      scope.parameters,
      BRIEFLY,
    );
    return new Map(rows.map(({ id, sessions }) => [id, Number(sessions)]));
  } catch (error) {
    onFault(error);
    return null;
  }
}

/** One policy with the keys that break it and what came of it. */
export async function readPolicyDetail(parts: PolicyParts, id: PolicyId): Promise<PolicyDetail> {
  const { db } = parts;
  const [[found], notices, applications, waiting] = await Promise.all([
    readOverview(parts, [id]),
    db
      .selectFrom('notices')
      .selectAll()
      .where('kind', 'in', [...(NOTICE_KINDS[id] ?? ['none'])])
      .orderBy('id', 'desc')
      .limit(NOTICES_MAX)
      .execute(),
    changesKeys(id) ? readApplications(parts, id) : [],
    id === 'auto_rotation' ? readCollections(parts, 'open') : [],
  ]);
  return {
    ...found!.item,
    breaking: found!.breaking,
    notices: notices.map(({ id: noticeId, at, kind, subject, threshold, text }) => ({
      ...{ id: Number(noticeId), kind, subject, threshold, text },
      at: at.toISOString(),
    })),
    applications,
    collections: waiting.map(({ row, key }) => collectionOf(row, key)),
  };
}

/** The newest applications of a policy. */
export async function readApplications({ db }: Pick<PolicyParts, 'db'>, id: PolicyId): Promise<PolicyApplication[]> {
  const rows = await db
    .selectFrom('policy_applications')
    .selectAll()
    .where('policy', '=', id)
    .orderBy('started_at', 'desc')
    .limit(APPLICATIONS_MAX)
    .execute();
  return rows.map(({ policy: _policy, started_at, ended_at, ...row }) => ({
    ...row,
    started_at: started_at.toISOString(),
    ended_at: ended_at?.toISOString() ?? null,
  }));
}

type Key = Parameters<typeof keyOf>[0];

/** Newest collections with their keys. */
export async function readCollections(
  { db, registry }: Pick<PolicyParts, 'db' | 'registry'>,
  status: CollectionRow['status'],
): Promise<{ row: CollectionRow; key: Key }[]> {
  const { byId } = await registry.current();
  const rows = await db
    .selectFrom('collections')
    .selectAll()
    .where('status', '=', status)
    .orderBy('opened_at', 'desc')
    .orderBy('id')
    .limit(COLLECTIONS_MAX)
    .execute();
  return rows.flatMap((row) => {
    const key = byId.get(row.credential_id);
    return key === undefined ? [] : [{ row, key }];
  });
}

/** A collection as answers tell it. */
export function collectionOf(row: CollectionRow, key: Key): PolicyDetail['collections'][number] {
  const { id, status, ended_by } = row;
  return {
    ...keyOf(key),
    ...{ id, status, ended_by },
    opened_at: row.opened_at.toISOString(),
    last_date: row.last_date.toISOString(),
    grace_seconds: Number(row.grace_ms) / 1_000,
    ended_at: row.ended_at?.toISOString() ?? null,
  };
}
