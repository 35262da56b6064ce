import { FencedError, type Ledger } from './ledger.ts';

/** The partitions of one assignment in the ledger: under which name they are written, and how far they are known to be stored. */
export interface Ownership {
  /** Claims them, for the first time. */
  claim(signal: AbortSignal): Promise<void>;
  /** Notes from where each partition is read, as the ledger told after the claim. */
  resumesAt(nextOffsets: ReadonlyMap<number, number>): void;
  /**
   * Writes once what may be tried several times. `attempt` writes under the claimant it is given, all of it or nothing; when it throws,
   * nobody knows whether it arrived, or still will. So before the next attempt the partitions are claimed anew, which shuts out all that
   * was sent before, and the ledger is asked how far it is: what is there is done, what is not is sent again under the new claim.
   * @param ends what the ledger's resume points become by it, per partition; empty for what they do not tell and may be written again
   * @throws FencedError when another detector holds one of the partitions or has written to it
   */
  write(
    ends: ReadonlyMap<number, number>,
    signal: AbortSignal,
    attempt: (claimant: string) => Promise<void>,
  ): Promise<void>;
}

/** @param name of this assignment among all of all detectors; claims are told apart by a generation behind it */
export function createOwnership(ledger: Ledger, partitions: number[], name: string): Ownership {
  const lineage = `${name}/`;
  let generation = 0;
  let claimant = `${lineage}${generation}`;
  const stored = new Map<number, number>();
  /** Whether something was sent under the present claim and not answered. */
  let isUnsure = false;

  /** @returns whether what was sent without an answer did arrive */
  async function hasArrived(ends: ReadonlyMap<number, number>, signal: AbortSignal): Promise<boolean> {
    const next = `${lineage}${++generation}`;
    await ledger.renewClaim(partitions, next, lineage, signal);
    claimant = next;
    const resume = await ledger.resumeOffsets(partitions);
    signal.throwIfAborted();
    isUnsure = false;
    const moved = partitions.filter((partition) => (resume.get(partition) ?? 0) > (stored.get(partition) ?? 0));
    const isOurs = moved.every((partition) => resume.get(partition) === ends.get(partition));
    if (moved.length === 0) return false;
    if (isOurs && moved.length === ends.size) return true;
    throw new FencedError(`another detector has written to one of partitions ${moved.join(', ')} meanwhile`);
  }

  function noteStored(ends: ReadonlyMap<number, number>): void {
    for (const [partition, end] of ends) stored.set(partition, end);
  }

  return {
    claim: (signal) => ledger.claim(partitions, claimant, signal),
    resumesAt: noteStored,
    async write(ends, signal, attempt) {
      if (!isUnsure || !(await hasArrived(ends, signal))) {
        isUnsure = true;
        await attempt(claimant);
        isUnsure = false;
      }
      noteStored(ends);
    },
  };
}
