import { writeFile } from 'node:fs/promises';
import { KafkaUnavailableError } from '../kafka/start-kafka.ts';
import { machineOf, type Machine } from '../measuring/machine.ts';
import { UsageError } from '../measuring/options.ts';
import { runAgainst } from './against/against.ts';
import { byCommand, byHand } from './against/harm.ts';
import { targetOf } from './against/target.ts';
import { MUTANTS, runMutant, type MutantResult } from './mutants/mutants.ts';
import { parseOptions, type Options } from './options.ts';
import { planRuns } from './plan.ts';
import { checksTable, mutantTable, summaryOf, violationsOf } from './report.ts';
import { run, type RunResult } from './run.ts';

/** A broker or a replica may take minutes to come back. */
const RECOVERY_MS = 900_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

/**
 * Runs what was planned, the buses side by side: most of a run is waiting for sessions to end, and two busy cores make for worse
 * moments. Goes on after a violation, because the next may tell more.
 */
async function chaos(options: Options, machine: Machine): Promise<boolean> {
  const { eventsPerSecond, brokers } = options;
  const ofBuses = options.buses.map(async (bus) => {
    const results: RunResult[] = [];
    for (const planned of planRuns(options.faults, options.kills, options.seed)) {
      say(`${bus}: ${planned.faults.length} faults, seed ${planned.seed}`);
      const result = await run({ ...planned, bus, brokers, eventsPerSecond, onProgress: say });
      for (const line of violationsOf([result])) say(line);
      results.push(result);
    }
    return results;
  });
  const results = (await Promise.all(ofBuses)).flat();
  say(`\n${summaryOf(results)}\n`);
  await writeJson(options, { machine, results });
  for (const line of violationsOf(results)) say(line);
  const ok = results.every(({ checks }) => checks.every((check) => check.ok));
  say(ok ? 'Everything held.' : `Something did not hold; repeat with --seed ${options.seed}.`);
  return ok;
}

async function mutants(options: Options, machine: Machine): Promise<boolean> {
  const { seed, eventsPerSecond } = options;
  const ofBuses = options.buses.map(async (bus) => {
    const results: MutantResult[] = [];
    for (const mutant of MUTANTS) {
      say(`${bus}: mutant ${mutant.name} (${mutant.title})`);
      results.push(await runMutant(mutant, { bus, seed, eventsPerSecond, onProgress: say }));
    }
    return results;
  });
  const results = (await Promise.all(ofBuses)).flat();
  say(`\n${mutantTable(results)}\n`);
  await writeJson(options, { machine, mutants: results });
  const survivors = results.filter(({ caught }) => !caught).length;
  say(survivors === 0 ? 'Every mutant was caught.' : `${survivors} mutant(s) survived: the suite has a hole.`);
  return survivors === 0;
}

/** An installation that somebody runs, harmed by them. */
async function against(url: string, options: Options, machine: Machine): Promise<boolean> {
  const { hook, kills: faults, seed, eventsPerSecond } = options;
  const target = targetOf(url, process.env);
  const harm = hook === null ? byHand() : byCommand(hook);
  const result = await runAgainst({
    target,
    faults,
    harm,
    seed,
    eventsPerSecond,
    recoveryMs: RECOVERY_MS,
    onProgress: say,
  });
  await writeJson(options, { machine, ...result });
  say(`\n${checksTable(result)}`);
  return result.checks.every((check) => check.ok);
}

async function writeJson({ jsonFile }: Options, value: unknown): Promise<void> {
  if (jsonFile !== null) await writeFile(jsonFile, `${JSON.stringify(value, null, 2)}\n`);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), Date.now());
  const machine = machineOf();
  say(`seed ${options.seed}; ${machine.line}`);
  if (options.against !== null) return (await against(options.against, options, machine)) ? 0 : 1;
  const held = await (options.mutants ? mutants(options, machine) : chaos(options, machine));
  return held ? 0 : 1;
}

// Ctrl-C ends the children, too: those that were started here are told at exit.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

// An explicit exit: when one bus can't be had, the other's run ends, too.
try {
  process.exit(await main());
} catch (error) {
  const expected = error instanceof UsageError || error instanceof KafkaUnavailableError;
  console.error(expected ? error.message : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
