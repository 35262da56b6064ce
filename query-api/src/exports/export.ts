import { createHash, randomUUID } from 'node:crypto';
import type { ExportReceipt, ExportRequest } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { change } from '../registry/registry.ts';
import { ledgerFile } from './ledger-file.ts';
import { rowCountOf } from './row-count.ts';
import { signatureOf } from './signing.ts';
import { auditTable, registryTable } from './table.ts';
import { writeTable } from './write-table.ts';

export interface ExportParts {
  db: RegistryDatabase;
  store: ClickHouse;
  authSecret: string;
  now: () => number;
}

/** A file on its way out. */
export interface Export {
  id: string;
  fileName: string;
  /** The file's bytes. They end once the receipt is stored; an error in the middle leaves no receipt. */
  bytes: AsyncIterable<Buffer>;
}

const EXTENSIONS = { csv: 'csv', json: 'ndjson', parquet: 'parquet' } as const;

/** Begins an export. Throws ProblemError for filters that can't be used. */
export function beginExport(parts: ExportParts, { what, format, filters }: ExportRequest, actor: string): Export {
  const startMs = parts.now();
  const bounds = boundsOf(filters, startMs);
  const id = randomUUID();
  const stamp = new Date(startMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const fileName = `lanewatch-${what}-${stamp}.${EXTENSIONS[format]}`;
  const { db, store } = parts;
  const file =
    what === 'registry'
      ? writeTable(registryTable(db, startMs), format)
      : what === 'audit'
        ? writeTable(auditTable(db, { ...filters, to: bounds.to }), format)
        : ledgerFile(store, what, format, { ...filters, to: bounds.to });
  return { id, fileName, bytes: bytes() };

  async function* bytes(): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    const count = rowCountOf(format);
    let length = 0;
    for await (const chunk of file) {
      hash.update(chunk);
      count.add(chunk);
      length += chunk.length;
      yield chunk;
    }
    const sha256 = hash.digest('hex');
    await writeReceipt(parts, {
      ...({ version: 1, id, file_name: fileName, what, format, filters, rows: count.rows(), bytes: length } as const),
      ...{ ...bounds, sha256, made_at: new Date(parts.now()).toISOString(), made_by: actor },
    });
  }
}

function boundsOf(filters: ExportRequest['filters'], startMs: number): { from: string | null; to: string } {
  const from = 'from' in filters && filters.from !== undefined ? new Date(filters.from).toISOString() : null;
  const toMs = 'to' in filters && filters.to !== undefined ? Math.min(Date.parse(filters.to), startMs) : startMs;
  return { from, to: new Date(toMs).toISOString() };
}

/** Writes the receipt, and the row of the trail that its chain head is, in one transaction. */
async function writeReceipt(
  { db, authSecret }: ExportParts,
  facts: Omit<ExportReceipt, 'chain_head' | 'signature'>,
): Promise<void> {
  await change(db, async (transaction) => {
    const at = new Date(facts.made_at);
    const head = await appendAudit(transaction, {
      ...{ at, actor: facts.made_by, action: 'export.made', subject: { kind: 'export', id: facts.id } },
      detail: `${facts.file_name}, ${facts.rows} rows, SHA-256 ${facts.sha256}`,
    });
    const unsigned = { ...facts, chain_head: head };
    const receipt = { ...unsigned, signature: await signatureOf(transaction, unsigned, authSecret) };
    await transaction
      .insertInto('export_receipts')
      .values({
        ...{ id: facts.id, made_at: at, made_by: facts.made_by, receipt: JSON.stringify(receipt) },
        ...{ head_seq: head.seq, head_hash: head.hash },
      })
      .execute();
  });
}
