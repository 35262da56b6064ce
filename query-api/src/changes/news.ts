import { RULE_CATALOGUE } from '@lanewatch/detector/contract';
import type { FindingItem, StreamFinding, StreamTriage } from '../../contract/index.ts';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { readFindings } from '../findings/findings.ts';
import type { RegistryDatabase } from '../registry/database.ts';

/** A partition that lags behind brings findings that were received so much before the newest. */
const LAG_MS = 15 * 60_000;
const FINDINGS_PER_READ_MAX = 1_000;
const ACTS_PER_READ_MAX = 500;

interface NewsRow {
  id: string;
  rule: string;
  lane: string;
  hint: string;
  org: string;
  severity: FindingItem['severity'];
  occurrences: number | string;
  received: number | string;
}

/** Which findings came or grew since the last read; the first one learns what is there and tells nothing. */
export function createFindingNews(store: ClickHouse): { read(): Promise<StreamFinding[]> } {
  const counts = new Map<string, number>();
  let newestMs: number | null = null;

  async function learn(): Promise<void> {
    let newest = 0;
    await store.stream<Pick<NewsRow, 'id' | 'occurrences' | 'received'>>(
      `SELECT id, occurrences, toUnixTimestamp64Milli(findings.last_received_at) AS received
       FROM ${store.database}.findings AS findings FINAL`,
      {},
      ({ id, occurrences, received }) => {
        counts.set(id, Number(occurrences));
        newest = Math.max(newest, Number(received));
      },
    );
    newestMs = newest;
  }

  return {
    async read() {
      if (newestMs === null) {
        await learn();
        return [];
      }
      const rows = await store.rows<NewsRow>(
        `SELECT id, rule, lane, hint, org, severity, occurrences,
           toUnixTimestamp64Milli(findings.last_received_at) AS received
         FROM ${store.database}.findings AS findings FINAL
         WHERE findings.last_received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
         ORDER BY received DESC LIMIT {rows:UInt32}`,
        { from: Math.max(0, newestMs - LAG_MS), rows: FINDINGS_PER_READ_MAX },
        BRIEFLY,
      );
      const news: StreamFinding[] = [];
      for (const { received, occurrences: text, ...row } of rows.reverse()) {
        newestMs = Math.max(newestMs, Number(received));
        const [before, occurrences] = [counts.get(row.id), Number(text)];
        if (before === occurrences) continue;
        counts.set(row.id, occurrences);
        const title = RULE_CATALOGUE.find(({ id }) => id === row.rule)?.title ?? row.rule;
        news.push({ ...row, title, occurrences, is_new: before === undefined });
      }
      return news;
    },
  };
}

/** Acts after one, oldest first, each with how its finding stands now. */
export async function readTriageSince(
  store: ClickHouse,
  db: RegistryDatabase,
  version: number,
  nowMs: number,
): Promise<StreamTriage[]> {
  const acts = await db
    .selectFrom('finding_events')
    .selectAll()
    .where('id', '>', String(version))
    .orderBy('id')
    .limit(ACTS_PER_READ_MAX)
    .execute();
  const items = await readFindings(store, db, [...new Set(acts.map(({ finding_id: id }) => id))], nowMs);
  return acts.flatMap(({ finding_id: id, act, actor: by, at }) => {
    const item = items.find((one) => one.id === id);
    if (item === undefined) return [];
    const { status, severity, assignee, comments, version: present } = item;
    return [{ finding_id: id, act, by, at: at.toISOString(), status, severity, assignee, comments, version: present }];
  });
}
