import type { Role, TokenAccess } from '../../contract/index.ts';

/** Tables of accounts as kysely sees them; the comments on columns are in migrations/. */
export interface AccountTables {
  users: UsersTable;
  sessions: SessionsTable;
  user_accounts: { id: string; user_id: string; provider_id: string; password: string | null };
  verifications: { id: string; identifier: string; value: string; expires_at: Date };
  personal_tokens: PersonalTokensTable;
  /** A bigint is a text here. */
  attempts: { key: string; points: number; expire: string | null };
}

interface PersonalTokensTable {
  credential_id: string;
  user_id: string;
  fingerprint: string;
  access: TokenAccess;
  last_used_at: Date | null;
}

interface UsersTable {
  id: string;
  name: string;
  email: string;
  role: Role;
  setup_pending: boolean;
  banned: boolean;
  two_factor_enabled: boolean;
  created_at: Date;
  updated_at: Date;
}

interface SessionsTable {
  id: string;
  token: string;
  user_id: string;
  expires_at: Date;
  created_at: Date;
  updated_at: Date;
  ip_address: string | null;
  user_agent: string | null;
  totp_proved_at: Date | null;
}
