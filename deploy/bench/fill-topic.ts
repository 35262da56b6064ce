import {
  encodeUsageRow,
  partitionForKey,
  partitionKeyOf,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
  type Bus,
  type OutgoingRecord,
  type CredentialRecord,
  type UsageEvent,
} from '@lanewatch/ingest/contract';

export interface FillOptions {
  bus: Bus;
  topic: string;
  partitions: number;
  /** Events per record; 1 for one event per record. */
  packed: number;
}

const EVENTS_PER_PUBLISH = 10_000;

/** Puts events on the topic as ingest would: positional rows, grouped by partition, `packed` per record. Returns events per second. */
export async function fillTopic(
  events: Iterable<UsageEvent>,
  { bus, topic, partitions, packed }: FillOptions,
): Promise<number> {
  const headers = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };
  let open: string[][] = Array.from({ length: partitions }, () => []);
  let records: OutgoingRecord[] = [];
  let count = 0;
  const startedMs = performance.now();

  const seal = (partition: number) => {
    const lines = open[partition]!;
    if (lines.length === 0) return;
    records.push({ key: null, partition, headers, value: Buffer.from(lines.join('\n')) });
    open[partition] = [];
  };
  const publish = async () => {
    await bus.publish(topic, records);
    records = [];
  };

  for (const event of events) {
    const partition = partitionForKey(partitionKeyOf(event), partitions);
    open[partition]!.push(encodeUsageRow(event));
    if (open[partition]!.length >= packed) seal(partition);
    if (++count % EVENTS_PER_PUBLISH === 0) await publish();
  }
  open.forEach((_, partition) => seal(partition));
  open = [];
  if (records.length > 0) await publish();
  return (count / (performance.now() - startedMs)) * 1000;
}

/** Puts registry records on the credentials topic, as the registry does. */
export async function fillRegistry(
  records: Iterable<Partial<CredentialRecord>>,
  bus: Bus,
  topic: string,
): Promise<void> {
  const outgoing = [...records].map((record) => ({
    key: record.fingerprint!,
    value: Buffer.from(JSON.stringify(record)),
  }));
  await bus.publish(topic, outgoing);
}
