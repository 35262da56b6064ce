import type { Assumed, Measured } from './model.ts';

/** As the tables of the benches have them; a test compares. */
export const MEASURED: Measured = {
  ingestEventsPerCore: 69_189,
  detectorEventsPerCore: 78_713,
  engineRowsPerCore: 529_100,
  bytesPerLane: 6_839,
  busBytesPerEvent: 530,
  ledgerBytesPerRow: 86,
};

export const ASSUMED: Assumed = {
  utilization: 0.5,
  mergeFactor: 4,
  busReplicas: 3,
  ledgerReplicas: 2,
  busRetentionDays: 7,
  ledgerRetentionDays: 90,
  brokerMegabytesPerSecond: 200,
};

/** Rates of the page, each with keys that such an organisation may have. */
export const SCALES = [
  { eventsPerSecond: 1_000, lanes: 5_000 },
  { eventsPerSecond: 100_000, lanes: 100_000 },
  { eventsPerSecond: 1_000_000, lanes: 500_000 },
] as const;
