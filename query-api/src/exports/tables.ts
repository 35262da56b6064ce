import type { ColumnType, JSONColumnType } from 'kysely';
import type { ExportReceipt } from '../../contract/index.ts';

export interface ExportTables {
  signing_key: {
    is_only: ColumnType<boolean, never, never>;
    key_id: string;
    public_key: string;
    private_key: string;
    created_at: Date;
    created_by: string;
  };
  export_receipts: {
    id: string;
    made_at: Date;
    made_by: string;
    receipt: JSONColumnType<ExportReceipt, string, string>;
    head_seq: ColumnType<string | number, number, number>;
    head_hash: string;
  };
}
