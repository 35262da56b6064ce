import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { KafkaUnavailableError } from '../kafka/start-kafka.ts';
import { catchUp } from './catch-up.ts';
import { FAULT_ACTIONS, type FaultName } from './faults.ts';
import { createRandom, type Random } from '../measuring/random.ts';
import type { BusKind } from './system/broker.ts';
import { NETWORK_FAULTS } from './system/engine-proxy.ts';
import { DETECTOR_ENTRY, PARTITIONS, startSystem, type System } from './system/system.ts';
import { createCheck, type CheckResult } from './verify/check.ts';
import { unjoinedRequests } from './verify/joined-reports.ts';
import { verify } from './verify/verify.ts';
import { until } from './until.ts';
import { createCollectors, type Collectors } from './workload/collectors.ts';
import { createEventSource, type EventSource } from './workload/events.ts';
import { createForeignProducer } from './workload/foreign-producer.ts';
import { createRegistry } from './workload/lanes.ts';
import { createOtherPartitioner } from './workload/other-partitioner.ts';

export interface RunOptions {
  bus: BusKind;
  /** How many brokers, of Kafka's; one unless told otherwise. */
  brokers?: number;
  seed: number;
  /** What is done to the system, in this order. */
  faults: readonly FaultName[];
  eventsPerSecond: number;
  /** How often the next fault comes before the system has recovered from the one before, 0 to 1. */
  overlap: number;
  /** Entry point of the detectors; a mutant's in mutant runs. */
  detectorEntry?: string;
  /** When the run's data and logs stay: when something did not hold, or never, for runs that are meant to fail. */
  keep?: 'on-failure' | 'never';
  onProgress?(line: string): void;
}

/** One fault as it went. */
export interface FaultRecord {
  fault: FaultName;
  /** From the first process touched to all of them running again. */
  tookMs: number;
  /** From there until an event of every partition was in the ledger; null when the next fault came first. */
  recoveredMs: number | null;
}

export interface RunResult {
  bus: BusKind;
  seed: number;
  faults: FaultRecord[];
  checks: CheckResult[];
  /** What the run met: events, repeats, answers lost, inserts refused. */
  counts: Record<string, number>;
  notes: string[];
  tookMs: number;
  /** Data and logs of the processes, kept because something did not hold. */
  evidence: string | null;
}

const COLLECTORS = 3;
const DETECTORS = 2;
/** Ends what hangs; how long a recovery took is reported, not judged. */
const RECOVERY_DEADLINE_MS = 300_000;
const SETTLED = 'the ledger catches up after the faults';

/** One run: a system, its load, faults in turn, and then everything that must hold. */
export async function run(options: RunOptions): Promise<RunResult> {
  const startedMs = Date.now();
  const random = createRandom(options.seed);
  const directory = await mkdtemp(path.join(os.tmpdir(), `lanewatch-chaos-${options.bus}-`));
  const registry = createRegistry(random.fork(), startedMs);
  const notes: string[] = [];
  const system = await startSystem({
    bus: options.bus,
    brokers: options.brokers ?? 1,
    directory,
    registry,
    detectors: DETECTORS,
    detectorEntry: options.detectorEntry ?? DETECTOR_ENTRY,
  }).catch(async (error: unknown) => {
    if (error instanceof KafkaUnavailableError) await removeDirectory(directory);
    throw error;
  });
  try {
    const sourceOf = (name: string): EventSource =>
      createEventSource({
        ...{ random: random.fork(), registry, name, startMs: startedMs, partitions: PARTITIONS },
        // What is caught of a mutant is no fault in joining, for which nobody need wait.
        hasTwins: options.detectorEntry === undefined,
      });
    const collectors = createCollectors({
      ingestUrl: system.ingestUrl,
      secret: registry.collector.secret,
      putOnBus: createOtherPartitioner(system.bus, system.topics.usage.name, PARTITIONS, random.fork()),
      random: random.fork(),
      sources: Array.from({ length: COLLECTORS }, (_, index) => sourceOf(`collector-${index}`)),
      eventsPerSecond: options.eventsPerSecond,
    });
    const producer = createForeignProducer(system.bus, system.topics.usage.name, PARTITIONS, random.fork());
    const ledgerCatchesUp = catchUp(system.ledger, collectors, sourceOf('markers'));

    collectors.start();
    producer.start();
    await ledgerCatchesUp(RECOVERY_DEADLINE_MS);
    const faults: FaultRecord[] = [];
    const checks: CheckResult[] = [];
    const settled = createCheck(SETTLED);
    try {
      for (const fault of options.faults) {
        const record = await inject(fault, faults, {
          system,
          random,
          ledgerCatchesUp,
          notes,
          overlap: options.overlap,
        });
        faults.push(record);
        options.onProgress?.(lineOf(options, record, faults.length, collectors));
      }
    } catch (error) {
      // Without its broker nothing can be sent to an end, and nothing be compared.
      if (error instanceof KafkaUnavailableError) throw error;
      settled.fail(String(error));
    }
    await Promise.all([collectors.finish(), producer.finish()]);
    // Once for all that lay where it was put, and once more for what was moved from there.
    for (let time = 0; time < 2; time++)
      await ledgerCatchesUp(RECOVERY_DEADLINE_MS).catch((error: unknown) => settled.fail(String(error)));
    await until('two reports of each request to be joined', RECOVERY_DEADLINE_MS, async () => {
      return (await unjoinedRequests(system.engine.client)) === 0;
    }).catch((error: unknown) => settled.fail(String(error)));
    checks.push(settled.result(`${options.faults.length} faults`));
    const counts = countsOf(system, collectors, producer.confirmed.length);
    checks.push(...(await verify({ system, registry, events: collectors, bad: producer.confirmed })));

    const ok = checks.every((check) => check.ok);
    await system.stop();
    const evidence = ok || options.keep === 'never' ? null : directory;
    if (evidence === null) await removeDirectory(directory);
    const tookMs = Date.now() - startedMs;
    const { bus, seed } = options;
    return { bus, seed, faults, checks, counts, notes, tookMs, evidence };
  } catch (error) {
    throw new Error(`the run with seed ${options.seed} could not be finished; its data is in ${directory}`, {
      cause: error,
    });
  } finally {
    await system.stop();
  }
}

const removeDirectory = (directory: string) => rm(directory, { recursive: true, force: true, maxRetries: 5 });

interface Injection {
  system: System;
  random: Random;
  ledgerCatchesUp(deadlineMs: number): Promise<void>;
  notes: string[];
  overlap: number;
}

async function inject(fault: FaultName, before: readonly FaultRecord[], injection: Injection): Promise<FaultRecord> {
  const { random, ledgerCatchesUp, notes } = injection;
  const startedMs = performance.now();
  await FAULT_ACTIONS[fault]({
    ...injection,
    round: before.filter((record) => record.fault === fault).length,
    note: (text) => notes.push(`${fault}: ${text}`),
  });
  const tookMs = Math.round(performance.now() - startedMs);
  if (random.chance(injection.overlap)) return { fault, tookMs, recoveredMs: null };
  await ledgerCatchesUp(RECOVERY_DEADLINE_MS);
  return { fault, tookMs, recoveredMs: Math.round(performance.now() - startedMs - tookMs) };
}

function countsOf(system: System, { sent, acknowledged, counts }: Collectors, bad: number): Record<string, number> {
  const proxied = (name: keyof System['detectors'][number]['proxy']['counts']) =>
    system.detectors.reduce((sum, { proxy }) => sum + proxy.counts[name], 0);
  return {
    'events sent': sent.size,
    'events acknowledged': acknowledged.size,
    'events sent again': counts.repeats,
    posts: counts.posts,
    'posts without an answer': counts.unanswered,
    'posts answered 503': counts.unavailable,
    'events put on any partition': counts.pastIngest,
    'undecodable records': bad,
    ...Object.fromEntries(NETWORK_FAULTS.map((kind) => [`inserts met by ${kind}`, proxied(kind)])),
    'inserts refused to a former owner': proxied('fenced'),
    'processes that ended by themselves': [system.ingest, ...system.detectors].reduce(
      (sum, own) => sum + own.restarts,
      0,
    ),
  };
}

function lineOf(options: RunOptions, record: FaultRecord, done: number, { acknowledged }: Collectors): string {
  const { fault, tookMs, recoveredMs } = record;
  const recovery = recoveredMs === null ? 'next one at once' : `recovered in ${seconds(recoveredMs)}`;
  const number = `${done}/${options.faults.length}`;
  return `${options.bus.padEnd(8)} ${number.padStart(5)} ${fault.padEnd(8)} ${seconds(tookMs)}, ${recovery}; ${acknowledged.size} events`;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
