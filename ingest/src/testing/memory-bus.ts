import type { Bus, OutgoingRecord } from '../../contract/index.ts';
import { RecordRefusedError } from '../bus/errors.ts';
import { BusUnavailableError, COLUMN_INDEX, type UsageRow } from '../../contract/index.ts';

/** The part of the bus that ingest writes to, in memory. For unit tests; what a real bus does is tested with real ones. */
export interface MemoryBus extends Pick<Bus, 'publish'> {
  published: { topic: string; record: OutgoingRecord }[];
  /** While true every publish fails as an unreachable broker does. */
  down: boolean;
  /** Records that the bus refuses for good, which fails the whole call as on Kafka. */
  refuses: (record: OutgoingRecord) => boolean;
  /** Rows on a topic, in the order of publication. */
  rows(topic: string): UsageRow[];
}

export function createMemoryBus(): MemoryBus {
  const bus: MemoryBus = {
    published: [],
    down: false,
    refuses: () => false,
    publish(topic, records) {
      if (bus.down) return Promise.reject(new BusUnavailableError('down for the test'));
      if (records.some((record) => bus.refuses(record)))
        return Promise.reject(new RecordRefusedError('refused for the test'));
      for (const record of records)
        bus.published.push({ topic, record: { ...record, value: Buffer.from(record.value) } });
      return Promise.resolve();
    },
    rows: (topic) =>
      bus.published
        .filter((entry) => entry.topic === topic)
        .flatMap(({ record }) => rowsOf(Buffer.from(record.value).toString('utf8'))),
  };
  return bus;
}

const rowsOf = (text: string) => text.split('\n').map((line) => JSON.parse(line) as UsageRow);

/** The cell of a row by column name. */
export function cell(row: UsageRow, column: keyof typeof COLUMN_INDEX): UsageRow[number] {
  return row[COLUMN_INDEX[column]]!;
}
