import type { BusRecord, RecordBatch } from '../../../contract/bus.ts';

/** Records of one assigned partition on their way from kafkajs to the handler. */
export interface PartitionLane {
  readonly partition: number;
  /** Offset of the next record to take in. */
  next: number;
  /** Whether the handler works on a batch. */
  readonly pending: boolean;
  /** Whether another batch may be taken in: one is being handled and one may wait, which hides the time of a fetch. */
  readonly hasRoom: boolean;
  offer(records: BusRecord[], endOffset: number): void;
  /**
   * Notes that everything before `offset` is dealt with, and returns what may be committed for that: where it is all that was taken in,
   * {@link next}, because behind the last record lie only aborted records and markers of transactions, which are handed to nobody.
   */
  noteDone(offset: number): number;
  /** Whether everything that was taken in is dealt with. */
  readonly isDone: boolean;
  /** Resolves once there is room again or the lane is closed. */
  room(): Promise<void>;
  /** Drops what waits. The batch under way goes on; {@link settled} tells when it is done. */
  close(): void;
  settled(): Promise<void>;
}

/**
 * @param deliver handles one batch; it never throws, and tells by its result whether the lane may go on
 */
export function createLane(
  partition: number,
  next: number,
  deliver: (batch: RecordBatch) => Promise<boolean>,
): PartitionLane {
  const waiting: RecordBatch[] = [];
  let running: Promise<void> | null = null;
  let closed = false;
  /** Behind the last record that was taken in. */
  let taken = next;
  let done = -1;
  let wake: (() => void)[] = [];

  const wakeAll = () => {
    const resolvers = wake;
    wake = [];
    for (const resolve of resolvers) resolve();
  };

  async function run(): Promise<void> {
    for (let batch = waiting.shift(); batch && !closed; batch = waiting.shift()) {
      wakeAll();
      if (!(await deliver(batch))) closed = true;
    }
    running = null;
    wakeAll();
  }

  return {
    partition,
    next,
    get pending() {
      return running !== null;
    },
    get hasRoom() {
      return waiting.length === 0;
    },
    noteDone(offset) {
      done = Math.max(done, offset);
      return done >= taken ? Math.max(done, this.next) : done;
    },
    get isDone() {
      return done >= taken;
    },
    offer(records, endOffset) {
      if (closed || records.length === 0) return;
      taken = records.at(-1)!.offset + 1;
      waiting.push({ partition, records, endOffset });
      running ??= run();
    },
    room() {
      if (closed || waiting.length === 0) return Promise.resolve();
      return new Promise((resolve) => wake.push(resolve));
    },
    close() {
      closed = true;
      waiting.length = 0;
      wakeAll();
    },
    async settled() {
      await running;
    },
  };
}
