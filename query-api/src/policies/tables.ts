import type { Generated, JSONColumnType } from 'kysely';
import type { PolicyId, PolicyMode, PolicySettings } from '../../contract/index.ts';

/** The tables of policies as kysely sees them; the comments on columns are in migrations/. */
export interface PolicyTables {
  policies: {
    policy: PolicyId;
    project: string;
    mode: PolicyMode;
    settings: JSONColumnType<PolicySettings, string, string>;
    version: number;
    updated_at: Date;
    updated_by: string;
  };
  notices: {
    id: Generated<string | number>;
    kind: string;
    subject: string;
    threshold: string;
    key: string;
    at: Date;
    text: string;
  };
  collections: {
    id: string;
    credential_id: string;
    record_key: string;
    opened_at: Date;
    opened_by: string;
    grace_ms: string | number;
    last_date: Date;
    status: 'open' | 'collected' | 'missed' | 'withdrawn';
    ended_at: Date | null;
    ended_by: Generated<string>;
  };
  policy_applications: {
    id: string;
    policy: PolicyId;
    started_at: Date;
    started_by: string;
    changed: Generated<number>;
    skipped: Generated<number>;
    ended_at: Date | null;
  };
}
