import type { CredentialScope } from '@lanewatch/ingest/contract';
import type { AccountTables } from '../accounts/tables.ts';
import type { PolicyTables } from '../policies/tables.ts';
import type { AuditTables } from '../audit/tables.ts';
import type { ExportTables } from '../exports/tables.ts';
import type { EvidenceTables } from '../evidence/tables.ts';
import type { SqlTables } from '../sql/tables.ts';
import type { RuleTables } from '../rules/tables.ts';
import type { JobTables } from '../schedule/tables.ts';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type {
  ChannelKind,
  DirectoryKind,
  FindingItem,
  FieldChange,
  FindingActName,
  Resolution,
} from '../../contract/index.ts';

/** The registry's tables as kysely sees them; the comments on columns are in migrations/. */
export type RegistryTables = {
  credentials: CredentialsTable;
  credential_secrets: CredentialSecretsTable;
  idempotency_keys: IdempotencyKeysTable;
  directory: DirectoryTable;
  outbox: OutboxTable;
  triage: TriageTable;
  finding_triage: FindingTriageTable;
  finding_events: FindingEventsTable;
  channels: ChannelsTable;
  channel_notices: ChannelNoticesTable;
  channel_deliveries: ChannelDeliveriesTable;
  registry_events: RegistryEventsTable;
  dead_letter_replays: DeadLetterReplaysTable;
  migrations: MigrationsTable;
} & AccountTables &
  AuditTables &
  ExportTables &
  EvidenceTables &
  JobTables &
  PolicyTables &
  SqlTables &
  RuleTables;

type Json<Value extends object> = JSONColumnType<Value, string, string>;

export interface CredentialsTable {
  id: string;
  record_key: string;
  fingerprint: string;
  hint: string;
  name: string;
  kind: 'managed' | 'registered';
  provider: string;
  org: string;
  project: string;
  owner: string;
  owner_kind: string;
  team: string;
  module: string;
  environment: string;
  scopes: Json<CredentialScope[]>;
  allowed_cidrs: Json<string[]>;
  expected_agents: Json<string[]>;
  expected_repos: Json<string[]>;
  sharing: 'personal' | 'team';
  people_declared: number;
  created_at: Date;
  created_by: string;
  changed_by: string;
  expires_at: Date | null;
  revoked_at: Date | null;
  revoked_by: string;
  revoke_reason: string;
  grace_ends_at: Date | null;
  version: number;
  budget_usd: string;
  budget_period: string;
  rate_limit_per_minute: number | null;
  secret_created_at: Date;
}

export interface CredentialSecretsTable {
  record_key: string;
  credential_id: string;
  fingerprint: string;
  hint: string;
  created_at: Date;
  created_by: string;
  replaced_at: Date | null;
  replaced_by: string;
  ends_at: Date | null;
  version: number;
}

interface DeadLetterReplaysTable {
  id: string;
  begun_at: Date;
  published_at: Date | null;
  actor: string;
}

interface IdempotencyKeysTable {
  actor: string;
  key: string;
  request_sha256: string;
  credential_id: string;
  at: Date;
}

interface DirectoryTable {
  kind: DirectoryKind;
  name: string;
  description: string;
  owner: string;
  created_at: Date;
  created_by: string;
  archived_at: Date | null;
}

interface OutboxTable {
  /** bigint: text from a server, number from PGlite; readers turn it into a number. */
  id: Generated<string | number>;
  credential_id: string;
  record: ColumnType<unknown, string, string>;
  created_at: Date;
  sent_at: Date | null;
}

interface TriageTable {
  lane: string;
  rule: string;
  status: 'resolved' | 'lowered';
  at: Date;
  by: string;
  reason: string;
  credential_id: string;
}

export interface FindingTriageTable {
  finding_id: string;
  state: 'open' | 'acknowledged' | 'snoozed' | 'resolved';
  state_at: Date | null;
  state_by: string;
  reason: string;
  resolution: '' | Resolution;
  severity: string;
  until: Date | null;
  assignee: string;
  comments: number;
  version: number;
}

interface FindingEventsTable {
  id: Generated<string | number>;
  finding_id: string;
  at: Date;
  actor: string;
  act: FindingActName | 'occurred_again';
  resolution: '' | Resolution;
  until: Date | null;
  assignee: string | null;
  body: string;
  version: number;
}

export interface ChannelsTable {
  id: string;
  kind: ChannelKind;
  name: string;
  target: string;
  sealed: string;
  severity: FindingItem['severity'];
  orgs: Json<string[]>;
  projects: Json<string[]>;
  owners: Json<string[]>;
  pace: 'each' | 'hourly' | 'daily';
  quiet_from: string | null;
  quiet_to: string | null;
  enabled: boolean;
  created_at: Date;
  created_by: string;
  version: number;
  baselined_at: Date | null;
  last_sent_at: Date | null;
}

interface ChannelNoticesTable {
  channel_id: string;
  finding_id: string;
  opening: ColumnType<string | number, number, never>;
  state: 'skipped' | 'waiting' | 'sent' | 'given_up';
  created_at: Date;
  delivery_id: string | null;
  due_at: Date;
  attempts: Generated<number>;
  sent_at: Date | null;
}

interface ChannelDeliveriesTable {
  id: Generated<string | number>;
  channel_id: string;
  delivery_id: string;
  at: Date;
  findings: number;
  ok: boolean;
  detail: string;
  duration_ms: number;
}

interface RegistryEventsTable {
  id: Generated<string | number>;
  at: Date;
  actor: string;
  action: string;
  credential_id: string;
  detail: string;
  changes: ColumnType<FieldChange[], string | undefined, never>;
}

interface MigrationsTable {
  number: number;
  name: string;
  sha256: string;
  applied_at: Date;
}
