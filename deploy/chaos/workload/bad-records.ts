import { ROW_VERSION_HEADER, USAGE_ROW_VERSION, type OutgoingRecord } from '@lanewatch/ingest/contract';
import type { Random } from '../../measuring/random.ts';

/**
 * A record that no detector can decode, as a foreign producer might put it straight on the bus. The bytes are unlike those of
 * every other one, and are what the dead letter must hold.
 * @param number tells it from the others of the run
 */
export function badRecord(random: Random, number: number, partitions: number): OutgoingRecord & { partition: number } {
  const partition = random.integer(0, partitions - 1);
  const kinds: { text: string; headers: Record<string, string> }[] = [
    { text: `no JSON at all, number ${number}`, headers: {} },
    { text: JSON.stringify(['too short a row', number]), headers: { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION } },
    { text: `{"source":"cut","id":"${number}`, headers: { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION } },
    { text: `[["of a later version",${number}]]`, headers: { [ROW_VERSION_HEADER]: '99' } },
    { text: JSON.stringify({ source: 'chaos/bad', id: String(number), time: 'yesterday' }), headers: {} },
  ];
  const { text, headers } = kinds[number % kinds.length]!;
  return { key: null, value: Buffer.from(text), headers, partition };
}
