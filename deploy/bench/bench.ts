import type { KafkaServer } from '../kafka/start-kafka.ts';

/** One line of the table: our figure against a peer's or a limit, from the same run. */
export interface BenchResult {
  id: string;
  what: string;
  against: string;
  unit: string;
  /** Medians over the runs. */
  ours: number;
  peer: number;
  /** Higher is better for every line: ours ÷ peer for throughput, limit ÷ ours where less is better. */
  ratio: number;
  floor: number;
  /** Every single figure, in the order of the runs. */
  oursRuns: number[];
  peerRuns: number[];
  note?: string;
}

export interface BenchContext {
  /** A broker for the whole bench; every run has topics and groups of its own. */
  kafka(): Promise<KafkaServer>;
  /** Interleaved runs of each side. */
  runs: number;
  /** Events per run of the path. */
  events: number;
  /** Homes of installations whose ledgers are there to be read; none where they are to be written first. */
  ledgers: string[];
  /** An empty directory that is removed at the end. */
  temporaryDirectory(): string;
  log(line: string): void;
  /** Has something ended when the bench has, however that went: what was added last first. */
  atEnd(stop: () => Promise<unknown>): void;
  /** Aborted when somebody stops the benches. */
  stopped: AbortSignal;
}

export interface Bench {
  id: string;
  summary: string;
  run(context: BenchContext): Promise<BenchResult[]>;
}

/** The middle of the figures; of an even number the lower middle, so that it is a figure that was measured. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

/** A result of two throughputs, medians over the runs. */
export function throughputResult(
  line: Pick<BenchResult, 'id' | 'what' | 'against' | 'floor'> & { note?: string },
  oursRuns: number[],
  peerRuns: number[],
): BenchResult {
  const ours = median(oursRuns);
  const peer = median(peerRuns);
  return { ...line, unit: 'events/s', ours, peer, ratio: ours / peer, oursRuns, peerRuns };
}

/** A result against a limit, of a figure of which less is better. */
export function limitResult(
  line: Pick<BenchResult, 'id' | 'what' | 'unit' | 'ours'> & { note?: string },
  limit: number,
  oursRuns: number[] = [line.ours],
): BenchResult {
  return { ...line, against: 'limit', peer: limit, ratio: limit / line.ours, floor: 1, oursRuns, peerRuns: [limit] };
}

/** A load may fall this far behind what was wanted before figures taken under it are worth nothing. */
const LOAD_SHARE_MIN = 0.95;

/** @throws Error when latencies were measured under clearly less load than they are going to be reported for */
export function requireLoad(achieved: number, wanted: number): void {
  if (achieved >= wanted * LOAD_SHARE_MIN) return;
  const share = Math.floor((achieved / wanted) * 100);
  throw new Error(
    `The load came to ${Math.round(achieved)} of ${Math.round(wanted)} events/s (${share} %), so its latencies are those of a calmer system: measure again with less beside it or on more cores.`,
  );
}
