import type { Finding } from '../../contract/index.ts';
import type { RegistryView } from '../classify/registry-view.ts';
import type { LaneStates } from '../lane-state/lane-states.ts';
import type { FloodLimits } from '../findings/flood-guard.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rule } from '../rules/rule.ts';
import type { Batch } from './batch.ts';
import type { DedupeWindow } from './dedupe-window.ts';
import type { Move, Placement } from './move.ts';

export interface PipelineOptions {
  /** Name of this process among the detectors. */
  instance: string;
  ledger: Ledger;
  registry: RegistryView;
  /** Null leaves lane state and rules out: events are only classified and stored. */
  lanes: LaneStates | null;
  rules: Rule[];
  createDedupe(): DedupeWindow;
  dedupeWindowMs: number;
  dedupeIdsMax: number;
  /** Lanes with rows stored within this time are restored. */
  laneHistoryMs: number;
  /** How many findings a rule and collector may raise; {@link FLOOD_LIMITS} when nothing is said. */
  flood?: FloodLimits;
  lanesMax: number;
  batchRowsMax: number;
  flushIntervalMs: number;
  now(): number;
  /** Waits between tries; rejects when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  publishDeadLetters(deadLetters: Batch['deadLetters']): Promise<void>;
  /** Puts events on the partitions where they belong. Resolves with those that the bus will never take there. */
  publishMoves(moves: Move[]): Promise<Move[]>;
  publishFindings(findings: Finding[]): Promise<void>;
  /** Where events belong now. */
  placement(): Promise<Placement>;
  /** Offset of the next record of each partition of the usage topic, as the bus has it. */
  endOffsets(): Promise<Map<number, number>>;
  /** Tells lag tools how far the ledger is. */
  commit(nextOffsets: Map<number, number>): Promise<void>;
  /** Gives the membership up and joins again; everything held is void. */
  rejoin(reason: string): void;
  observer: PipelineObserver;
}

/** What the pipeline tells about itself: for metrics, counts per collector and the log. */
export interface PipelineObserver {
  /** Its rows are in the ledger; whether or not its findings follow, nobody stores them again. */
  stored(batch: Batch): void;
  /** Its findings are written as well, so many milliseconds after it was closed. */
  finished(batch: Batch, tookMs: number): void;
  fault(stage: string, error: unknown): void;
  /** It reads its lanes back from the ledger, which takes the longer the more rows there are. */
  restoring?(): void;
  assigned(partitions: number[], tookMs: number): void;
}
