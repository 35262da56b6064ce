/** How keys map to partitions: Kafka's own default, so that every client that writes a topic agrees about it. */

import type { OutgoingRecord } from '../../contract/bus.ts';
import { RecordRefusedError } from './errors.ts';

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** MurmurHash2 as `org.apache.kafka.common.utils.Utils.murmur2` computes it, as a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  const wordsEnd = length & ~3;
  let hash = SEED ^ length;
  for (let index = 0; index < wordsEnd; index += 4) {
    let word = data[index]! | (data[index + 1]! << 8) | (data[index + 2]! << 16) | (data[index + 3]! << 24);
    word = Math.imul(word, M);
    word ^= word >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = length & 3;
  if (rest === 3) hash ^= data[wordsEnd + 2]! << 16;
  if (rest >= 2) hash ^= data[wordsEnd + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ data[wordsEnd]!, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/**
 * The partition of a key.
 * @param key taken as UTF-8
 * @param partitionCount partitions of the topic, at least 1
 */
export function partitionForKey(key: string, partitionCount: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitionCount;
}

/**
 * Where the records of one publish call go: to the partition that they name, else by their key. Records without a key
 * spread over the partitions, those of one call together, as Kafka's clients do it.
 * @throws RecordRefusedError for a partition that the topic does not have
 */
export function placementIn(
  topic: string,
  partitionCount: number,
): (record: Pick<OutgoingRecord, 'key' | 'partition'>) => number {
  let keyless = -1;
  return ({ key, partition: named }) => {
    if (key === null && keyless < 0) keyless = Math.floor(Math.random() * partitionCount);
    const partition = named ?? (key === null ? keyless : partitionForKey(key, partitionCount));
    if (!(partition >= 0 && partition < partitionCount)) {
      throw new RecordRefusedError(`Topic ${topic} has no partition ${partition}`);
    }
    return partition;
  };
}
