/*
 * How much of what an installation needs at a rate of events. Pure arithmetic over measured figures, so that whoever has measured others on
 * machines of their own puts those in.
 */

/** What one core does, and what one event takes. Sources: deploy/bench/RESULTS.md unless a line says otherwise. */
export interface Measured {
  /** P4: accepted by ingest on one core, NDJSON of 100, acknowledged by Kafka. */
  ingestEventsPerCore: number;
  /** P1p: one detector process, packed records, with bus and engine on the same two cores; so a lower bound. */
  detectorEventsPerCore: number;
  /** P5 as Native blocks: rows the engine takes on one core, merges not counted. */
  engineRowsPerCore: number;
  /** D6: bytes of lane state, all rules on. */
  bytesPerLane: number;
  /** P3's events on the bus. */
  busBytesPerEvent: number;
  /** A ledger row compressed, with its roll-up: detector/src/ledger/README.md. */
  ledgerBytesPerRow: number;
}

/** Rules of thumb that no bench measures; each says why. */
export interface Assumed {
  /** How busy a core is planned to be, so that a burst or a lost node does not fall behind. */
  utilization: number;
  /** Merges rewrite a row some times; the engine's cores per insert core. */
  mergeFactor: number;
  /** Copies of a record on Kafka, and of a row on replicas. */
  busReplicas: number;
  ledgerReplicas: number;
  busRetentionDays: number;
  ledgerRetentionDays: number;
  /** The bus moves bytes: MB a second that one broker takes, replication included. */
  brokerMegabytesPerSecond: number;
}

export interface Need {
  eventsPerSecond: number;
  ingestCores: number;
  detectorCores: number;
  partitions: number;
  brokers: number;
  busDiskTerabytes: number;
  engineCores: number;
  shards: number;
  ledgerDiskTerabytes: number;
  laneMemoryGigabytes: number;
}

const DAY_SECONDS = 86_400;
const TERA = 1e12;
/** Cores of one ClickHouse server: beyond, shards. */
const CORES_PER_SHARD = 32;
/** Fewest partitions, the default, and how many each detector should have so that a lost one is spread over the rest. */
const PARTITIONS_MIN = 12;
const PARTITIONS_PER_DETECTOR = 2;

/**
 * @param eventsPerSecond sustained, at the busiest hour
 * @param lanes keys in use within LANE_HISTORY_DAYS
 */
export function needOf(eventsPerSecond: number, lanes: number, measured: Measured, assumed: Assumed): Need {
  const cores = (perCore: number) => Math.max(1, Math.ceil(eventsPerSecond / (perCore * assumed.utilization)));
  const detectorCores = cores(measured.detectorEventsPerCore);
  const engineCores = Math.max(2, cores(measured.engineRowsPerCore / assumed.mergeFactor));
  const busBytes = eventsPerSecond * measured.busBytesPerEvent * assumed.busReplicas;
  return {
    eventsPerSecond,
    ingestCores: cores(measured.ingestEventsPerCore),
    detectorCores,
    partitions: Math.max(PARTITIONS_MIN, detectorCores * PARTITIONS_PER_DETECTOR),
    brokers: Math.max(assumed.busReplicas, Math.ceil(busBytes / (assumed.brokerMegabytesPerSecond * 1e6))),
    busDiskTerabytes: (busBytes * DAY_SECONDS * assumed.busRetentionDays) / TERA,
    engineCores,
    shards: Math.ceil(engineCores / CORES_PER_SHARD),
    ledgerDiskTerabytes:
      (eventsPerSecond *
        measured.ledgerBytesPerRow *
        assumed.ledgerReplicas *
        DAY_SECONDS *
        assumed.ledgerRetentionDays) /
      TERA,
    laneMemoryGigabytes: (lanes * measured.bytesPerLane) / 1e9,
  };
}
