import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { EngineError } from './errors.ts';
import { createSlots } from './slots.ts';
import type { Slot } from './slots.ts';

const never = new AbortController().signal;

describe('slots', () => {
  test('no two holders have the same place, and no more run than there are places', async () => {
    const slots = createSlots(3, 10);
    const held = await Promise.all([1, 2, 3].map(() => slots.acquire(false, never)));
    expect(new Set(held.map((slot) => slot.index)).size).toBe(3);
    let fourth: Slot | undefined;
    const waiting = slots.acquire(false, never).then((slot) => (fourth = slot));
    await Promise.resolve();
    expect(fourth).toBeUndefined();
    held[1]!.release();
    held[1]!.release();
    await waiting;
    expect(fourth!.index).toBe(held[1]!.index);
    expect(slots.running).toBe(3);
  });

  test('a query that finds the queue full is refused with 202', async () => {
    const slots = createSlots(1, 1);
    await slots.acquire(false, never);
    void slots.acquire(false, never);
    const refused = await slots.acquire(false, never).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(EngineError);
    expect((refused as EngineError).code).toBe(202);
  });

  test('whoever gives up waiting leaves the queue', async () => {
    const slots = createSlots(1, 1);
    const first = await slots.acquire(false, never);
    const leave = new AbortController();
    const refused = slots.acquire(false, leave.signal).catch((error: unknown) => (error as EngineError).code);
    leave.abort();
    expect(await refused).toBe(236);
    const next = slots.acquire(false, never);
    first.release();
    expect((await next).index).toBe(first.index);
  });

  test('restricted queries leave half of the places to the others', async () => {
    const slots = createSlots(4, 10);
    await slots.acquire(true, never);
    await slots.acquire(true, never);
    let third = false;
    void slots.acquire(true, never).then(() => (third = true));
    const other = await slots.acquire(false, never);
    await Promise.resolve();
    expect(third).toBe(false);
    expect(slots.running).toBe(3);
    other.release();
    await Promise.resolve();
    expect(third).toBe(false);
  });

  test('of restricted queries no more run than they may, however many places are free', async () => {
    const slots = createSlots(16, 10, 2);
    const [first] = await Promise.all([slots.acquire(true, never), slots.acquire(true, never)]);
    let third = false;
    const waiting = slots.acquire(true, never).then(() => (third = true));
    await Promise.resolve();
    expect(third).toBe(false);
    first.release();
    await waiting;
  });

  test('in any order of arrivals and endings everyone gets a turn and the bounds hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 40 }), async (steps) => {
        const slots = createSlots(4, 1000);
        const held: { slot: Slot; restricted: boolean }[] = [];
        let granted = 0;
        for (const [restricted, endOne] of steps) {
          void slots.acquire(restricted, never).then((slot) => {
            granted += 1;
            held.push({ slot, restricted });
          });
          await Promise.resolve();
          await Promise.resolve();
          expect(held.length).toBeLessThanOrEqual(4);
          expect(held.filter((one) => one.restricted).length).toBeLessThanOrEqual(2);
          if (endOne) held.shift()?.slot.release();
        }
        for (let turn = 0; turn <= steps.length; turn += 1) {
          await Promise.resolve();
          held.shift()?.slot.release();
          await Promise.resolve();
        }
        expect(granted).toBe(steps.length);
        expect(slots.running).toBe(0);
      }),
    );
  });
});
