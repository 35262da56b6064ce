import { fork } from 'node:child_process';
import path from 'node:path';
import type { Bus, BusRecord, OutgoingRecord, SubscribeOptions, Subscription } from '../../../contract/bus.ts';
import { until } from '../../../../deploy/testing/helpers.ts';
import type { ChildOptions, ChildReport } from './child.ts';

/** A member of this process that remembers everything it was told. */
export interface Recorder {
  subscription: Subscription;
  assignments: number[][];
  revocations: number;
  faults: unknown[];
  /** In the order of delivery, over all assignments. */
  records: BusRecord[];
  texts(): string[];
}

/** Joins and remembers. Handlers given in `overrides` run instead of the remembering ones, except that faults are always kept. */
export async function record(
  bus: Bus,
  options: Pick<SubscribeOptions, 'topic' | 'group'> & Partial<SubscribeOptions>,
): Promise<Recorder> {
  const recorder: Omit<Recorder, 'subscription'> = {
    assignments: [],
    revocations: 0,
    faults: [],
    records: [],
    texts: () => recorder.records.map(({ value }) => value.toString()),
  };
  const next = new Map<number, number>();
  const subscription = await bus.subscribe({
    onAssignment(partitions) {
      recorder.assignments.push(partitions);
      return Promise.resolve(new Map(next));
    },
    ...options,
    async onBatch(batch) {
      await options.onBatch?.(batch);
      // The value is only lent.
      for (const item of batch.records) recorder.records.push({ ...item, value: Buffer.from(item.value) });
      next.set(batch.partition, batch.records.at(-1)!.offset + 1);
    },
    onRevoked() {
      recorder.revocations++;
    },
    onFault(error) {
      recorder.faults.push(error);
    },
  });
  return Object.assign(recorder, { subscription });
}

/** `count` records without a key for one partition, with texts `<prefix><number>`. */
export function numbered(count: number, partition: number, prefix = ''): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: null,
    value: Buffer.from(`${prefix}${index}`),
    partition,
  }));
}

export interface Child {
  reports: ChildReport[];
  pause(): void;
  resume(): void;
  /** SIGKILL; resolves when it has ended and everything it had reported has arrived. */
  kill(): Promise<void>;
  assigned(): Promise<number[]>;
}

export function startChild(options: ChildOptions): Child {
  const child = fork(path.join(import.meta.dirname, 'child.ts'), [JSON.stringify(options)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const reports: ChildReport[] = [];
  child.on('message', (message) => reports.push(message as ChildReport));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  return {
    reports,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    assigned: () =>
      until(
        () => reports.findLast((report) => report.kind === 'assigned')?.partitions,
        30_000,
        'the child to be assigned partitions',
      ),
  };
}

/** Reads a topic from its first records until each partition has reached the end it had at the time of the call. */
export async function readAll(bus: Bus, topic: string, group: string): Promise<BusRecord[]> {
  const ends = await bus.lag(topic, group);
  const reader = await record(bus, { topic, group });
  const reached = () =>
    ends.every(
      ({ partition, endOffset }) =>
        endOffset === 0 || reader.records.some((item) => item.partition === partition && item.offset >= endOffset - 1),
    );
  await until(reached, 60_000, `everything on ${topic}`);
  await reader.subscription.close();
  return reader.records;
}
