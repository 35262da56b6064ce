import type { AuditFilter } from '../../contract/index.ts';
import { eachAudit } from '../audit/read.ts';
import { canonicalJson } from '../audit/canonical-json.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';

/** A cell: text, or a whole number. */
export type Cell = string | number;

/** Rows that come from the registry's store, some at a time. */
export interface Table {
  columns: readonly { name: string; isNumber: boolean }[];
  pages: AsyncIterable<Cell[][]>;
  /** The same rows as JSON objects, where they say more than their cells. */
  objects?: AsyncIterable<object[]>;
}

const numbers = new Set(['seq', 'version']);
const columnsOf = (names: readonly string[]): Table['columns'] =>
  names.map((name) => ({ name, isNumber: numbers.has(name) }));

const REGISTRY_COLUMNS = [
  ...(['id', 'name', 'kind', 'status', 'hint', 'fingerprint', 'provider', 'org', 'project', 'owner'] as const),
  ...(['owner_kind', 'team', 'module', 'environment', 'sharing', 'scopes', 'allowed_cidrs'] as const),
  ...(['created_at', 'created_by', 'expires_at', 'revoked_at', 'revoked_by', 'revoke_reason', 'version'] as const),
];
const PAGE = 1_000;

/** Every credential, oldest first, with the status it has now. */
export function registryTable(db: RegistryDatabase, nowMs: number): Table {
  return { columns: columnsOf(REGISTRY_COLUMNS), pages: pages() };
  async function* pages(): AsyncGenerator<Cell[][]> {
    let after = '';
    for (;;) {
      const rows: CredentialRow[] = await db
        .selectFrom('credentials')
        .selectAll()
        .where('id', '>', after)
        .orderBy('id')
        .limit(PAGE)
        .execute();
      yield rows.map((row) =>
        REGISTRY_COLUMNS.map((name) => cellOf(name === 'status' ? statusAt(row, nowMs) : row[name])),
      );
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }
}

const AUDIT_COLUMNS = [
  ...(['seq', 'at', 'actor', 'action', 'subject_kind', 'subject', 'credential_id', 'detail'] as const),
  ...(['changes', 'previous', 'hash'] as const),
];

/** The trail, newest first. As JSON its rows are what was hashed, which lets anybody hash them again. */
export function auditTable(db: RegistryDatabase, filter: AuditFilter): Table {
  return { columns: columnsOf(AUDIT_COLUMNS), pages: pages(), objects: eachAudit(db, filter) };
  async function* pages(): AsyncGenerator<Cell[][]> {
    for await (const items of eachAudit(db, filter)) {
      yield items.map((item) =>
        AUDIT_COLUMNS.map((name) => {
          if (name === 'subject_kind') return item.subject.kind;
          return cellOf(name === 'subject' ? item.subject.id : item[name]);
        }),
      );
    }
  }
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' || typeof value === 'number' ? value : canonicalJson(value);
}
