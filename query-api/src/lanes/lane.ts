import type { Lane, Window } from '../../contract/index.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { instantOf } from '../ledger/window.ts';
import type { LaneAggregate } from './aggregates.ts';
import { postureOf } from './posture.ts';
import { registrationOf } from './registration.ts';
import { standingNow } from './standing-now.ts';

const WINDOW_LABEL: Record<Window, string> = {
  '1h': 'hour',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
};

/** A lane as readers see it: what the ledger counted, and how the registry sees it now. Pure. */
export function laneOfAggregate(
  row: LaneAggregate,
  registry: RegistrySnapshot,
  openFindings: number,
  window: Window,
  nowMs: number,
): Lane {
  const standing = standingNow({ ...row, org: row.hint_org }, registry, nowMs);
  const { credential } = standing;
  const org = row.org || (credential?.org ?? '');
  const lastSeen = instantOf(row.last_seen);
  return {
    lane: row.lane,
    fingerprint: row.fingerprint,
    hint: row.hint || (credential?.hint ?? ''),
    standing: standing.standing,
    match: standing.match,
    registration: registrationOf({ fingerprint: row.fingerprint, org }, standing.standing),
    posture: postureOf({ ...row, last_seen: lastSeen }, standing, WINDOW_LABEL[window]),
    credential:
      credential === null
        ? null
        : {
            id: credential.id,
            name: credential.name,
            kind: credential.kind,
            owner: credential.owner,
            sharing: credential.sharing,
          },
    org,
    provider: row.provider || (credential?.provider ?? ''),
    events: row.events,
    retired_events: row.retired_events,
    sessions: row.sessions,
    live_sessions: row.live_sessions,
    users: row.users,
    endpoints: row.endpoints,
    agents: row.agents,
    repos: row.repos,
    models: row.models,
    cost_usd: row.cost_usd,
    tokens: {
      input_uncached: row.tokens_input_uncached,
      cache_read: row.tokens_cache_read,
      cache_write: row.tokens_cache_write,
      output: row.tokens_output,
    },
    first_seen: instantOf(row.first_seen),
    last_seen: lastSeen,
    open_findings: openFindings,
  };
}
