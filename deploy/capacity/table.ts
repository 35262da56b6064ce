import { needOf, type Assumed, type Measured, type Need } from './model.ts';

const shown = (value: number) => (value >= 10 ? Math.round(value) : Number(value.toPrecision(2))).toLocaleString('en');

const COLUMNS: [title: string, of: (need: Need) => string][] = [
  ['events/s', (need) => shown(need.eventsPerSecond)],
  ['ingest cores', (need) => shown(need.ingestCores)],
  ['detector cores', (need) => shown(need.detectorCores)],
  ['lane memory', (need) => `${shown(need.laneMemoryGigabytes)} GB`],
  ['partitions', (need) => shown(need.partitions)],
  ['brokers', (need) => shown(need.brokers)],
  ['bus disk', (need) => `${shown(need.busDiskTerabytes)} TB`],
  ['ClickHouse cores a replica', (need) => shown(need.engineCores)],
  ['shards', (need) => shown(need.shards)],
  ['ledger disk', (need) => `${shown(need.ledgerDiskTerabytes)} TB`],
];

/** The page's table: a row a scale, its cells. */
export function tableOf(
  scales: readonly { eventsPerSecond: number; lanes: number }[],
  measured: Measured,
  assumed: Assumed,
): string[][] {
  const rows = scales.map(({ eventsPerSecond, lanes }) => needOf(eventsPerSecond, lanes, measured, assumed));
  return [COLUMNS.map(([title]) => title), ...rows.map((need) => COLUMNS.map(([, of]) => of(need)))];
}
