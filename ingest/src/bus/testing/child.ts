/**
 * A process of its own that tests kill and pause. Forked with one JSON argument; reports over the IPC channel.
 * As a publisher it publishes numbered records for ever and reports what was acknowledged; as a member it reports what it is assigned
 * and delivered.
 */
import { openBus } from '../open.ts';

export interface ChildOptions {
  role: 'publisher' | 'member';
  url: string;
  topic: string;
  group: string;
  sessionTimeoutMs: number;
}

export type ChildReport =
  /** Key and number of a record that publish has acknowledged. */
  | { kind: 'acknowledged'; key: string; sequence: number }
  | { kind: 'assigned'; partitions: number[] }
  | { kind: 'revoked' }
  /** Sent before the handler settles. */
  | { kind: 'delivered'; partition: number; offsets: number[] }
  | { kind: 'fault'; message: string };

const options = JSON.parse(process.argv[2] ?? '{}') as ChildOptions;

function report(message: ChildReport): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, undefined, {}, () => {
      resolve();
    });
  });
}

const bus = await openBus(options.url, { publishTimeoutMs: 5_000 });

if (options.role === 'publisher') {
  // Many at once, so that group commits and batches hold records of several callers when the kill comes.
  await Promise.all(
    Array.from({ length: 16 }, async (_, index) => {
      const key = `key-${index}`;
      for (let sequence = 0; ; sequence++) {
        const value = Buffer.from(`${key}:${sequence}:${'x'.repeat((sequence * 97) % 5_000)}`);
        try {
          await bus.publish(options.topic, [{ key, value }]);
          await report({ kind: 'acknowledged', key, sequence });
        } catch (error) {
          await report({ kind: 'fault', message: String(error) });
        }
      }
    }),
  );
} else {
  const next = new Map<number, number>();
  await bus.subscribe({
    topic: options.topic,
    group: options.group,
    sessionTimeoutMs: options.sessionTimeoutMs,
    async onAssignment(partitions) {
      await report({ kind: 'assigned', partitions });
      return new Map([...next].filter(([partition]) => partitions.includes(partition)));
    },
    async onBatch({ partition, records }) {
      await report({ kind: 'delivered', partition, offsets: records.map(({ offset }) => offset) });
      next.set(partition, records.at(-1)!.offset + 1);
    },
    onRevoked() {
      void report({ kind: 'revoked' });
    },
    onFault(error) {
      void report({ kind: 'fault', message: String(error) });
    },
  });
}
