import type { ColumnType } from 'kysely';

/** bigint: text from a server, number from PGlite; readers turn it into a number. */
type Seq = ColumnType<string | number, number, number>;
/** The database makes it from `entry`. */
type Made = ColumnType<string, never, never>;

export interface AuditTables {
  audit_trail: {
    seq: Seq;
    entry: string;
    hash: string;
    at: Made;
    actor: Made;
    action: Made;
    subject_kind: Made;
    subject: Made;
    credential_id: Made;
  };
  audit_head: { seq: Seq; hash: string };
}
