import type { Ledger } from '../ledger/ledger.ts';

/**
 * Takes out the resume points of partitions that end before them: the topic was made anew (a fresh data directory, a deleted
 * bus) and has to be read from its first record. That is written down, because later the new offsets pass the old ones: then the old
 * maximum would have records skipped, and until then every restart would read the topic from its start again.
 *
 * A topic that was made anew and passed the old end while no detector ran can't be told by its offsets.
 */
export async function voidOffsetsBeyondEnd(
  resumeOffsets: Map<number, number>,
  { ledger, endOffsets, signal }: { ledger: Ledger; endOffsets(): Promise<Map<number, number>>; signal: AbortSignal },
  onReset: (error: Error) => void,
): Promise<void> {
  if (resumeOffsets.size === 0) return;
  const ends = await endOffsets();
  // A reset noted behind a successor's back would void what that one has stored by now.
  signal.throwIfAborted();
  const anew = [...resumeOffsets].filter(([partition, offset]) => offset > (ends.get(partition) ?? Infinity));
  if (anew.length === 0) return;
  await ledger.resetPartitions(anew.map(([partition]) => partition));
  for (const [partition, offset] of anew) {
    resumeOffsets.delete(partition);
    const end = ends.get(partition) ?? 0;
    onReset(
      new Error(
        `partition ${partition} ends at ${end}, the ledger has it up to ${offset}: it was made anew and is read from its start`,
      ),
    );
  }
}
