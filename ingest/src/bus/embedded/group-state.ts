/**
 * Membership of a consumer group as plain state and pure steps, so that every interleaving can be tested without processes.
 * Eager rebalance: a change of membership starts a new generation; when every member has acknowledged it, and so delivers nothing
 * of the one before, the partitions are dealt out by range.
 */

export interface GroupMember {
  id: string;
  sessionTimeoutMs: number;
  /** Until when it counts as alive, on the machine's monotonic clock. */
  leaseUntilMs: number;
  /** The last generation it has acknowledged. */
  acknowledged: number;
  /** Names the operating-system process, so that a killed one needs not be waited for; '' when that can't be told. */
  process: string;
}

export interface GroupState {
  generation: number;
  members: GroupMember[];
}

export const EMPTY_GROUP: GroupState = { generation: 0, members: [] };

/** What a member learns from a heartbeat. */
export type Membership =
  /** Others have removed it: what it was assigned may belong to somebody else. */
  | { kind: 'unknown' }
  /** A generation is forming; nothing may be delivered. */
  | { kind: 'forming'; generation: number }
  | { kind: 'stable'; generation: number; partitions: number[] };

/** Removes members whose lease has run out or whose process is gone. */
export function expireMembers(state: GroupState, nowMs: number, isGone: (process: string) => boolean): GroupState {
  const members = state.members.filter(
    ({ leaseUntilMs, sessionTimeoutMs, process }) =>
      nowMs <= leaseUntilMs &&
      // A lease from before a restart of the machine's clock would never run out.
      leaseUntilMs - nowMs <= sessionTimeoutMs &&
      !isGone(process),
  );
  return members.length === state.members.length ? state : { generation: state.generation + 1, members };
}

export function joinGroup(
  state: GroupState,
  id: string,
  sessionTimeoutMs: number,
  process: string,
  nowMs: number,
): GroupState {
  const generation = state.generation + 1;
  const member: GroupMember = {
    id,
    sessionTimeoutMs,
    leaseUntilMs: nowMs + sessionTimeoutMs,
    acknowledged: generation,
    process,
  };
  const members = [...state.members.filter((other) => other.id !== id), member];
  members.sort((left, right) => (left.id < right.id ? -1 : 1));
  return { generation, members };
}

export function leaveGroup(state: GroupState, id: string): GroupState {
  const members = state.members.filter((member) => member.id !== id);
  return members.length === state.members.length ? state : { generation: state.generation + 1, members };
}

/** Renews a member's lease and acknowledges the generation: the caller has stopped delivering whatever it held before. */
export function renewLease(state: GroupState, id: string, nowMs: number): GroupState {
  return {
    generation: state.generation,
    members: state.members.map((member) =>
      member.id === id
        ? { ...member, leaseUntilMs: nowMs + member.sessionTimeoutMs, acknowledged: state.generation }
        : member,
    ),
  };
}

export function membershipOf(state: GroupState, id: string, partitionCount: number): Membership {
  const index = state.members.findIndex((member) => member.id === id);
  if (index < 0) return { kind: 'unknown' };
  const { generation } = state;
  if (state.members.some(({ acknowledged }) => acknowledged !== generation)) return { kind: 'forming', generation };
  return { kind: 'stable', generation, partitions: rangeOf(index, state.members.length, partitionCount) };
}

/** Consecutive partitions for each member; the first ones get one more when they can't be shared evenly. */
export function rangeOf(index: number, members: number, partitionCount: number): number[] {
  const each = Math.floor(partitionCount / members);
  const larger = partitionCount % members;
  const start = index * each + Math.min(index, larger);
  return Array.from({ length: each + (index < larger ? 1 : 0) }, (_, position) => start + position);
}
