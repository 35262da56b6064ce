import type { Random } from '../measuring/random.ts';
import type { DetectorService, System } from './system/system.ts';
import { NETWORK_FAULTS, type NetworkFault } from './system/engine-proxy.ts';
import { DeadlineError, pause, until } from './until.ts';

/** Everything that is done to the system under load; the help text of `npm run chaos` says what each is. */
export const FAULTS = ['ingest', 'detector', 'engine', 'torn', 'broker', 'answers', 'late', 'pause'] as const;
export type FaultName = (typeof FAULTS)[number];

/** What a fault needs besides the system. */
export interface FaultContext {
  system: System;
  random: Random;
  /** How many faults of this kind there were before: variants take turns, so that a short run meets each of them. */
  round: number;
  /** Posts one event per partition and resolves when all of them are in the ledger. */
  ledgerCatchesUp(deadlineMs: number): Promise<void>;
  /** Takes down what is worth knowing and no failure. */
  note(text: string): void;
}

/** Does something to the system and ends with every process running again, though perhaps not yet recovered. */
export type Fault = (context: FaultContext) => Promise<void>;

/** Ends what hangs. Nothing is judged by it: how long work takes is the machine's affair. */
const DEADLINE_MS = 300_000;
const HOLD_DEADLINE_MS = 5_000;
const CATCH_UP_WHILE_PAUSED_MS = 20_000;
/** So often, at most, an event of every partition goes through the ledger until inserts have met every fault of the network. */
const NETWORK_ROUNDS_MAX = 20;

export const FAULT_ACTIONS: Record<FaultName, Fault> = {
  ingest: killIngest,
  detector: killDetectors,
  engine: killEngine,
  torn: killEngineWhileItWrites,
  broker: killBroker,
  answers: loseAnswers,
  late: deliverLate,
  pause: pauseDetector,
};

/** How long something stays down: from at once to long enough that others notice. */
function downMs(random: Random): number {
  return random.pick([0, 150, 600]);
}

async function killIngest({ system, random }: FaultContext): Promise<void> {
  await pause(random.integer(0, 50));
  await system.ingest.kill();
  await pause(downMs(random));
  system.ingest.start();
}

async function killDetectors({ system, random, round }: FaultContext): Promise<void> {
  const victims = round % 2 === 0 ? [random.pick(system.detectors)] : system.detectors;
  await Promise.all(victims.map((detector) => detector.kill()));
  await pause(downMs(random));
  for (const detector of victims) detector.start();
}

async function killEngine({ system, random }: FaultContext): Promise<void> {
  await system.engine.kill();
  await pause(downMs(random));
  await system.engine.restart();
}

/** As near between the first byte of a part and its rename into place as it can be aimed. */
async function killEngineWhileItWrites({ system, random, note }: FaultContext): Promise<void> {
  const wasWriting = await system.engine.killWhileItWrites(AbortSignal.timeout(DEADLINE_MS));
  if (!wasWriting) note('no part was begun in time; the engine was killed idle');
  await pause(downMs(random));
  await system.engine.restart();
}

async function killBroker({ system, random }: FaultContext): Promise<void> {
  if (system.broker.kind === 'kafka') {
    await system.broker.kill();
    await pause(downMs(random));
    await system.broker.restart();
    return;
  }
  const owners = [system.ingest, ...system.detectors];
  await Promise.all(owners.map((service) => service.kill()));
  await pause(downMs(random));
  for (const service of owners) service.start();
}

/**
 * A fault that was armed can be used up without effect, when the engine is gone at that moment, and a detector may hold no partition:
 * what was not met is armed again for as long as inserts go on. It is enough when each was met by one of the detectors.
 */
async function loseAnswers({ system, random, ledgerCatchesUp }: FaultContext): Promise<void> {
  const proxies = system.detectors.map(({ proxy }) => proxy);
  const met = (fault: NetworkFault) => proxies.reduce((sum, { counts }) => sum + counts[fault], 0);
  const before = new Map(NETWORK_FAULTS.map((fault) => [fault, met(fault)]));
  const first = random.integer(0, NETWORK_FAULTS.length - 1);
  const planned = NETWORK_FAULTS.map((_, index) => NETWORK_FAULTS[(first + index) % NETWORK_FAULTS.length]!);
  const missing = () => planned.filter((fault) => met(fault) === before.get(fault));
  for (let round = 0; missing().length > 0; round++) {
    if (round === NETWORK_ROUNDS_MAX) throw new Error(`no insert met ${missing().join(', ')} in ${round} rounds`);
    for (const proxy of proxies) {
      proxy.disarm();
      proxy.arm(missing());
    }
    let isThrough = false;
    const working = ledgerCatchesUp(DEADLINE_MS).finally(() => (isThrough = true));
    // Met by all before it is through: the system is left in the middle of it.
    working.catch(() => undefined);
    await until('inserts to meet faults of the network', DEADLINE_MS, () =>
      Promise.resolve(isThrough || missing().length === 0),
    );
  }
  for (const proxy of proxies) proxy.disarm();
}

/** A batch is kept by the network until its detector has given it up and stored it by another attempt; only then does it arrive. */
async function deliverLate({ system, round, ledgerCatchesUp, note }: FaultContext): Promise<void> {
  const { victim } = await ownerOfPartitions(system, round);
  const held = await victim.proxy.holdNext(AbortSignal.timeout(HOLD_DEADLINE_MS));
  if (held === null) {
    note(`${victim.name} had nothing to store`);
    return;
  }
  await ledgerCatchesUp(DEADLINE_MS);
  const code = await held.release();
  note(`first attempt of ${victim.name} arrived after its retry; the engine's answer: ${code || 'stored'}`);
}

/**
 * The detector is stopped with a batch in hand; in every other round the batch has just left it and waits in the network, to
 * arrive only after the successor has written.
 */
async function pauseDetector({ system, round, ledgerCatchesUp, note }: FaultContext): Promise<void> {
  const { victim, partitions } = await ownerOfPartitions(system, round);
  const giveUp = AbortSignal.timeout(HOLD_DEADLINE_MS);
  const held = round % 2 === 0 ? await victim.proxy.holdNext(giveUp) : null;
  victim.freeze();
  try {
    await until(`another detector to claim the partitions of ${victim.name}`, DEADLINE_MS, async () => {
      const claimants = await system.ledger.claimants();
      return partitions.every((partition) => claimants.get(partition) !== victim.name);
    });
    // A detector stopped inside a transaction of the embedded bus holds its lock: nothing gets on until it wakes.
    await ledgerCatchesUp(CATCH_UP_WHILE_PAUSED_MS).catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
      note(`while ${victim.name} was stopped: ${error.message}`);
    });
    const code = await held?.release();
    if (code !== undefined)
      note(`insert of the stopped ${victim.name} arrived late; the engine's answer: ${code || 'stored'}`);
  } finally {
    victim.thaw();
  }
}

/** A detector that holds partitions, and which. Waits until there is one: a rebalance may be going on. */
async function ownerOfPartitions(
  system: System,
  round: number,
): Promise<{ victim: DetectorService; partitions: number[] }> {
  if (system.detectors.length < 2) throw new Error('pausing a detector needs a second one that can take over');
  let found: { victim: DetectorService; partitions: number[] } | undefined;
  await until('a detector to hold partitions', DEADLINE_MS, async () => {
    const claimants = [...(await system.ledger.claimants())];
    for (let turn = 0; turn < system.detectors.length; turn++) {
      const victim = system.detectors[(round + turn) % system.detectors.length]!;
      const partitions = claimants.filter(([, name]) => name === victim.name).map(([partition]) => partition);
      if (partitions.length > 0) found ??= { victim, partitions };
    }
    return found !== undefined;
  });
  return found!;
}
