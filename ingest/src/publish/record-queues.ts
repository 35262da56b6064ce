import type { UsageEvent } from '../../contract/index.ts';
import { CHARS_PER_RECORD_MAX, type PreparedRow, prepareRow, ROWS_PER_RECORD_MAX } from './rows.ts';
import { CHARS_PER_PARTITION_MAX } from './sender.ts';

/** One request's events, spread over several records. */
export interface Waiter {
  openRecords: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** A record being filled with the rows of one partition. */
interface Filling {
  rows: PreparedRow[];
  chars: number;
  waiters: Waiter[];
}

export interface QueuedRecord {
  partition: number;
  filling: Filling;
}

/** Events on their way to the bus, packed into records as they come, oldest first in each partition. */
export interface RecordQueues {
  readonly isEmpty: boolean;
  /** Counts in `waiter.openRecords` how many records hold events of this request. */
  add(events: readonly UsageEvent[], waiter: Waiter): void;
  /** Takes what one request to the bus may hold, oldest first. */
  takeBatch(): QueuedRecord[];
}

export function createRecordQueues(partitionOf: (key: string) => number): RecordQueues {
  const queues = new Map<number, Filling[]>();

  /** The last record of a partition while it has room for a row, else a new one. */
  function fillingFor(partition: number, chars: number): Filling {
    let queue = queues.get(partition);
    if (queue === undefined) queues.set(partition, (queue = []));
    const last = queue.at(-1);
    if (last !== undefined && last.rows.length < ROWS_PER_RECORD_MAX && last.chars + chars <= CHARS_PER_RECORD_MAX) {
      return last;
    }
    const filling: Filling = { rows: [], chars: 0, waiters: [] };
    queue.push(filling);
    return filling;
  }

  return {
    get isEmpty() {
      return queues.size === 0;
    },
    add(events, waiter) {
      for (const event of events) {
        const prepared = prepareRow(event);
        const filling = fillingFor(partitionOf(prepared.key), prepared.row.length);
        filling.rows.push(prepared);
        filling.chars += prepared.row.length;
        if (filling.waiters.at(-1) !== waiter) {
          filling.waiters.push(waiter);
          waiter.openRecords++;
        }
      }
    },
    takeBatch() {
      const batch: QueuedRecord[] = [];
      for (const [partition, queue] of queues) {
        let count = 0;
        for (let chars = 0; count < queue.length; count++) {
          chars += queue[count]!.chars;
          if (count > 0 && chars > CHARS_PER_PARTITION_MAX) break;
        }
        for (const filling of queue.splice(0, count)) batch.push({ partition, filling });
        if (queue.length === 0) queues.delete(partition);
      }
      return batch;
    },
  };
}
