import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../../../deploy/testing/helpers.ts';
import type { RecordBatch } from '../../../contract/bus.ts';
import type { GroupMembership } from './groups.ts';
import type { LogStore } from './log-store.ts';
import { createSubscription } from './subscription.ts';

const TOPIC = { id: 1, name: 't', partitions: 1, compacted: false };
/** More than the heartbeats that fit into a session; only a loop that never gives way comes so far. */
const ATTEMPTS_MAX = 1_000;

test('a member whose group cannot be asked any more leaves and joins again, without keeping everything else from running', async () => {
  let joins = 0;
  let heartbeats = 0;
  const membership: GroupMembership = {
    join() {
      joins++;
      return { kind: 'stable', generation: joins, partitions: [0] };
    },
    heartbeat() {
      heartbeats++;
      if (joins > 1 || heartbeats > ATTEMPTS_MAX) return { kind: 'stable', generation: joins, partitions: [0] };
      throw new Error('the disk cannot be read');
    },
    leave: () => undefined,
  };
  const batch = (from: number): RecordBatch => ({
    partition: 0,
    records: [{ partition: 0, offset: from, key: null, value: Buffer.of(), headers: {}, timestamp: 0 }],
    endOffset: from + 1,
  });
  const store = {
    read: (_topic: number, _partition: number, from: number) => batch(from),
    head: () => ({ first: 0, end: Number.MAX_SAFE_INTEGER }),
    refresh: () => undefined,
  } as unknown as LogStore;
  const faults: string[] = [];
  let revocations = 0;
  let delivered = 0;
  const subscription = createSubscription(
    {
      topic: 't',
      group: 'g',
      sessionTimeoutMs: 50,
      onAssignment: () => Promise.resolve(new Map()),
      onBatch() {
        if (joins > 1) delivered++;
        return Promise.resolve();
      },
      onRevoked: () => revocations++,
      onFault: (error) => faults.push((error as Error).message),
    },
    {
      store,
      watcher: { beyond: () => expect.fail('there are records'), poke: () => undefined, close: () => undefined },
      topic: TOPIC,
      membership,
      commit: () => Promise.resolve(),
      onClosed: () => undefined,
    },
  );
  onTestFinished(() => subscription.close());

  await until(() => delivered > 0, 10_000);
  expect(revocations).toBe(1);
  expect(heartbeats).toBeLessThan(ATTEMPTS_MAX);
  expect(faults).toContain('t: the session ran out and the group cannot be asked; joining again');
});
