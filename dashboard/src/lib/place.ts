import type { LedgerItem } from '@lanewatch/query-api/contract';

/**
 * A row's place on the bus, which no other row has. Source and id are no key for lists: outside the dedupe window one pair can be
 * stored twice, and equal keys end the page's JavaScript.
 */
export const placeOf = (row: Pick<LedgerItem, 'kafka_partition' | 'kafka_offset' | 'record_index'>) =>
  `${row.kafka_partition}/${row.kafka_offset}/${row.record_index}`;
