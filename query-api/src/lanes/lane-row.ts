import type { Lane } from '../../contract/index.ts';

/** A lane with all that is told of it. Instants are epoch milliseconds, money is decimal text. */
export interface LaneRow {
  lane: string;
  fingerprint: string;
  lane_hint: string;
  lane_org: string;
  lane_provider: string;
  standing: Lane['standing'];
  match: Lane['match'];
  posture: Lane['posture'][number]['reason'][];
  weak_facts: string[];
  record_id: string;
  record_name: string;
  record_kind: 'managed' | 'registered';
  record_owner: string;
  /** '' where no credential matches. */
  record_sharing: 'personal' | 'team' | '';
  record_people_declared: number;
  record_expires_at: number | null;
  record_revoked_at: number | null;
  event_count: number;
  retired_count: number;
  session_count: number;
  live_sessions: number;
  user_count: number;
  endpoint_count: number;
  agent_count: number;
  repo_count: number;
  model_count: number;
  spent: string;
  sum_input_uncached: number;
  sum_cache_read: number;
  sum_cache_write: number;
  sum_output: number;
  first_at: number;
  last_at: number;
  rate_limits: Lane['rate_limits'];
}
