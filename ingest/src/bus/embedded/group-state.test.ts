import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_GROUP, expireMembers, joinGroup, leaveGroup, membershipOf, rangeOf, renewLease } from './group-state.ts';
import type { GroupState } from './group-state.ts';

const SESSION_MS = 100;
const nobodyIsGone = () => false;

describe('group membership', () => {
  it('deals every partition to exactly one member, shares differing by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(100), (members, partitions) => {
        const shares = Array.from({ length: members }, (_, index) => rangeOf(index, members, partitions));
        expect(shares.flat()).toEqual(Array.from({ length: partitions }, (_, index) => index));
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('never lets two members hold a partition of one generation, whatever joins, leaves, beats and stalls', () => {
    const step = fc.record({
      who: fc.nat(4),
      what: fc.constantFrom('join', 'leave', 'beat', 'beat', 'beat', 'gone'),
      after: fc.nat(60),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state: GroupState = EMPTY_GROUP;
        let now = 0;
        /** What each member believes to hold: it learns only from its own calls. */
        const held = new Map<string, { generation: number; partitions: number[]; leaseUntil: number }>();
        for (const { who, what, after } of steps) {
          now += after;
          const id = `m${who}`;
          const before = state.generation;
          state = expireMembers(state, now, what === 'gone' ? (process) => process === id : nobodyIsGone);
          if (what === 'gone') held.delete(id);
          else if (what === 'leave') {
            held.delete(id);
            state = leaveGroup(state, id);
          } else {
            if (what === 'join') held.delete(id);
            state = what === 'join' ? joinGroup(state, id, SESSION_MS, id, now) : renewLease(state, id, now);
            const membership = membershipOf(state, id, 12);
            if (membership.kind === 'stable') held.set(id, { ...membership, leaseUntil: now + SESSION_MS });
            else held.delete(id);
          }
          expect(state.generation).toBeGreaterThanOrEqual(before);
          // Whoever is past its lease delivers nothing before it has asked again.
          const owners = [...held.values()].filter(({ leaseUntil }) => now <= leaseUntil);
          const all = owners.flatMap(({ partitions }) => partitions);
          expect(new Set(all).size).toBe(all.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('forms no generation before everybody has acknowledged it, and does once they have', () => {
    let state = joinGroup(EMPTY_GROUP, 'a', SESSION_MS, '', 0);
    expect(membershipOf(state, 'a', 2)).toEqual({ kind: 'stable', generation: 1, partitions: [0, 1] });
    state = joinGroup(state, 'b', SESSION_MS, '', 10);
    expect(membershipOf(state, 'b', 2)).toEqual({ kind: 'forming', generation: 2 });
    state = renewLease(state, 'a', 20);
    expect(membershipOf(state, 'a', 2)).toEqual({ kind: 'stable', generation: 2, partitions: [0] });
    expect(membershipOf(state, 'b', 2)).toEqual({ kind: 'stable', generation: 2, partitions: [1] });
  });

  it('a silent member is removed when its lease runs out, and learns it', () => {
    const state = expireMembers(joinGroup(EMPTY_GROUP, 'a', SESSION_MS, '', 0), 101, nobodyIsGone);
    expect(membershipOf(state, 'a', 1)).toEqual({ kind: 'unknown' });
  });

  it('a lease of before a restart of the machine does not count, though its time lies ahead', () => {
    const state = joinGroup(EMPTY_GROUP, 'a', SESSION_MS, '', 1_000_000);
    expect(expireMembers(state, 5, nobodyIsGone).members).toEqual([]);
  });
});
