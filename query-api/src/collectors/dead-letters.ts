import type { BusRecord } from '@lanewatch/ingest/contract';

/** What is held of the topic: the newest, so many and so much. */
const LETTERS_MAX = 2_000;
const BYTES_MAX = 32 * 1024 * 1024;

/** A dead letter as the detector published it. */
export interface HeldLetter {
  id: string;
  atMs: number;
  reason: string;
  partition: number;
  offset: number;
  recordIndex: number;
  /** What of it the topic has. */
  value: Buffer;
  /** How many bytes came. */
  originalBytes: number;
}

/** The newest dead letters, in memory. */
export interface DeadLetters {
  /** Takes a record off the topic. */
  apply(record: BusRecord): void;
  /** Newest first. */
  all(): HeldLetter[];
  byId(id: string): HeldLetter | undefined;
  readonly count: number;
}

const POSITION = /^\d{1,15}$/;

/** Holds what comes off the dead-letter topic. Bounded: the oldest go first. A repeat after a restart has the same place, and is one. */
export function createDeadLetters(limits = { letters: LETTERS_MAX, bytes: BYTES_MAX }): DeadLetters {
  const held = new Map<string, HeldLetter>();
  let bytes = 0;

  function drop(id: string): void {
    bytes -= held.get(id)?.value.length ?? 0;
    held.delete(id);
  }

  return {
    apply(record) {
      const {
        reason = '',
        partition = '',
        offset = '',
        record_index: index = '',
        original_bytes: original,
      } = record.headers;
      // Whoever else writes to the topic writes no dead letters of ours.
      if (![partition, offset, index].every((text) => POSITION.test(text))) return;
      const id = `${partition}-${offset}-${index}`;
      drop(id);
      held.set(id, {
        id,
        atMs: record.timestamp,
        reason,
        partition: Number(partition),
        offset: Number(offset),
        recordIndex: Number(index),
        value: Buffer.from(record.value),
        originalBytes: original !== undefined && POSITION.test(original) ? Number(original) : record.value.length,
      });
      bytes += record.value.length;
      for (const oldest of held.keys()) {
        if (held.size <= limits.letters && bytes <= limits.bytes) break;
        drop(oldest);
      }
    },
    all: () => [...held.values()].reverse(),
    byId: (id) => held.get(id),
    get count() {
      return held.size;
    },
  };
}
