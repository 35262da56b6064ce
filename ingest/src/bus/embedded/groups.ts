import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { EMPTY_GROUP, expireMembers, joinGroup, leaveGroup, membershipOf, renewLease } from './group-state.ts';
import type { GroupState, Membership } from './group-state.ts';
import { isProcessGone, processIdentity } from './process-identity.ts';

/** One member's view of its group. Every call is a short transaction that all processes see in one order. */
export interface GroupMembership {
  /** Joins under a new name. */
  join(): Membership;
  /** Renews the lease, acknowledges the generation and removes members that are gone. */
  heartbeat(): Membership;
  leave(): void;
}

export interface Groups {
  membership(topic: string, group: string, partitionCount: number, sessionTimeoutMs: number): GroupMembership;
  close(): Promise<void>;
}

/**
 * Leases live in an environment of their own, without fsync: they mean nothing after the machine restarts, and a member that is
 * paused in the middle of a heartbeat must not hold the lock that publishers need. The environment is named for the boot, so a
 * power cut that leaves it broken leaves it behind.
 */
export function openGroups(directory: string): Groups {
  const boot = bootId();
  const home = path.join(directory, 'groups');
  mkdirSync(home, { recursive: true });
  const root = open<string, string>({
    path: path.join(home, `${boot}.mdb`),
    encoding: 'string',
    mapSize: 64 * 1024 * 1024,
    noSync: boot !== UNKNOWN_BOOT,
    overlappingSync: false,
    maxReaders: 1024,
  });
  root.readerCheck();
  reservePages(root);
  const ownProcess = processIdentity();
  /** /proc is read for others at most this often; in between their leases decide. */
  const goneCheckedAt = new Map<string, number>();
  const isGone = (other: string): boolean => {
    if (other === ownProcess) return false;
    const now = monotonicMs();
    if (now - (goneCheckedAt.get(other) ?? -Infinity) < GONE_CHECK_INTERVAL_MS) return false;
    if (goneCheckedAt.size > 1_000) goneCheckedAt.clear();
    goneCheckedAt.set(other, now);
    return isProcessGone(other);
  };

  return {
    membership(topic, group, partitionCount, sessionTimeoutMs) {
      const key = `${topic}\n${group}`;
      let id = '';
      const change = (step: (state: GroupState) => GroupState): Membership =>
        root.transactionSync(() => {
          const stored = root.get(key);
          const before = stored === undefined ? EMPTY_GROUP : (JSON.parse(stored) as GroupState);
          const after = step(expireMembers(before, monotonicMs(), isGone));
          if (after !== before) root.putSync(key, JSON.stringify(after));
          return membershipOf(after, id, partitionCount);
        });
      return {
        join() {
          id = randomBytes(8).toString('hex');
          return change((state) => joinGroup(state, id, sessionTimeoutMs, ownProcess, monotonicMs()));
        },
        heartbeat: () => change((state) => renewLease(state, id, monotonicMs())),
        leave() {
          change((state) => leaveGroup(state, id));
        },
      };
    },
    close: () => root.close(),
  };
}

/** Far more than the leases of any group take. */
const RESERVED_BYTES = 256 * 1024;

/**
 * Makes the file as large as it will ever be: LMDB reuses free pages, so leases are renewed on a full disk too, and consumers go on
 * reading what is there.
 */
function reservePages(root: RootDatabase<string, string>): void {
  if (root.get(RESERVE_KEY) !== undefined) return;
  root.transactionSync(() => {
    root.putSync(RESERVE_KEY, 'x'.repeat(RESERVED_BYTES));
  });
  // Freed pages can be used from the second transaction after this one on, and those two still take new ones.
  for (let round = 0; round < 6; round++)
    root.transactionSync(() => {
      root.putSync(RESERVE_KEY, String(round));
    });
}

/** No group has it: a group's key holds a line break. */
const RESERVE_KEY = 'reserve';
const GONE_CHECK_INTERVAL_MS = 200;
const UNKNOWN_BOOT = 'unknown-boot';

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return UNKNOWN_BOOT;
  }
}

/** Milliseconds on the clock that all processes of this machine share and nobody sets; it goes on while a process is stopped. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}
