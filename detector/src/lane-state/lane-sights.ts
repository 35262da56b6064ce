import type { LaneProfile } from './profile.ts';
import type { ValueTable } from './value-table.ts';

/** Who and what a lane was seen with lately: all that rules know of it. */
export interface LaneSights {
  lane: string;
  fingerprint: string;
  /** Where its events come from on the bus. */
  partition: number;
  /** The people: users that name somebody. */
  user: ValueTable | null;
  /** Users that name nobody. */
  unresolved: ValueTable | null;
  endpoint: ValueTable | null;
  agent: ValueTable | null;
  session: ValueTable | null;
  repo: ValueTable | null;
  model: ValueTable | null;
  environment: ValueTable | null;
  /** What is usual on it. */
  profile: LaneProfile;
}
