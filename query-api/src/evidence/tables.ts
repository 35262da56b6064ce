import type { JSONColumnType } from 'kysely';
import type { Evidence } from '../../contract/index.ts';

export interface EvidenceTables {
  evidence: {
    id: string;
    captured_at: Date;
    captured_by: string;
    export_id: string;
    evidence: JSONColumnType<Evidence, string, string>;
  };
}
