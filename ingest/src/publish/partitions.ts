import { BusUnavailableError } from '../../contract/index.ts';
import { partitionForKey } from '../bus/partition.ts';

/** Which partition of the usage topic a key belongs to. */
export interface Partitions {
  /** @throws BusUnavailableError before the first {@link refresh} */
  of(key: string): number;
  /** Counts them anew. Rejects when the bus does not answer; what was known stays in use then. */
  refresh(): Promise<void>;
  close(): void;
}

/**
 * How often they are counted. Until every ingest has seen that the topic has more of them now, one credential's events go to two
 * partitions, where two detectors judge them.
 */
export const PARTITIONS_REFRESH_MS = 30_000;

/** Keys repeat much more often than they change, and hashing one costs more than looking it up. */
const KEYS_REMEMBERED_MAX = 20_000;

/**
 * Keeps up with the number of partitions, from the first refresh on.
 * @param count asks the bus
 * @param onFault told when the bus does not answer by the way
 */
export function createPartitions(count: () => Promise<number>, onFault: (error: unknown) => void): Partitions {
  let known: number | null = null;
  const remembered = new Map<string, number>();

  async function refresh(): Promise<void> {
    const counted = await count();
    if (counted !== known) remembered.clear();
    known = counted;
  }
  const refreshing = setInterval(() => {
    if (known !== null) refresh().catch(onFault);
  }, PARTITIONS_REFRESH_MS);

  return {
    refresh,
    of(key) {
      // Only what an earlier process spooled can get here so early; it is tried again.
      if (known === null) throw new BusUnavailableError('the partitions of the usage topic are not known yet');
      let partition = remembered.get(key);
      if (partition === undefined) {
        if (remembered.size >= KEYS_REMEMBERED_MAX) remembered.clear();
        partition = partitionForKey(key, known);
        remembered.set(key, partition);
      }
      return partition;
    },
    close: () => clearInterval(refreshing),
  };
}
