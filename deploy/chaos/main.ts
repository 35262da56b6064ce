import { writeFile } from 'node:fs/promises';
import { KafkaUnavailableError } from '../kafka/start-kafka.ts';
import { machineOf, type Machine } from './machine.ts';
import { MUTANTS, runMutant, type MutantResult } from './mutants/mutants.ts';
import { HELP, parseOptions, UsageError, type Options } from './options.ts';
import { planRuns } from './plan.ts';
import { mutantTable, summaryOf, violationsOf } from './report.ts';
import { run, type RunResult } from './run.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs what was planned for each bus, the buses one after the other. Goes on after a violation: the next may tell more. */
async function chaos(options: Options, machine: Machine): Promise<boolean> {
  const results: RunResult[] = [];
  for (const bus of options.buses) {
    for (const planned of planRuns(options.faults, options.kills, options.seed)) {
      say(`\n${bus}, seed ${planned.seed}: ${planned.faults.length} faults`);
      const { eventsPerSecond } = options;
      results.push(await run({ ...planned, bus, eventsPerSecond, onProgress: say }));
      for (const line of violationsOf(results.slice(-1))) say(line);
    }
  }
  say(`\n${summaryOf(results)}\n`);
  await writeJson(options, { machine, results });
  for (const line of violationsOf(results)) say(line);
  const ok = results.every(({ checks }) => checks.every((check) => check.ok));
  say(ok ? 'Everything held.' : `Something did not hold; repeat with --seed ${options.seed}.`);
  return ok;
}

async function mutants(options: Options, machine: Machine): Promise<boolean> {
  const results: MutantResult[] = [];
  for (const bus of options.buses) {
    for (const mutant of MUTANTS) {
      say(`\n${bus}, mutant ${mutant.name}: ${mutant.title}`);
      const { seed, eventsPerSecond } = options;
      results.push(await runMutant(mutant, { bus, seed, eventsPerSecond, onProgress: say }));
    }
  }
  say(`\n${mutantTable(results)}\n`);
  await writeJson(options, { machine, mutants: results });
  const survivors = results.filter(({ caught }) => !caught);
  say(
    survivors.length === 0
      ? 'Every mutant was caught.'
      : `${survivors.length} mutant(s) survived: the suite has a hole.`,
  );
  return survivors.length === 0;
}

async function writeJson({ jsonFile }: Options, value: unknown): Promise<void> {
  if (jsonFile !== null) await writeFile(jsonFile, `${JSON.stringify(value, null, 2)}\n`);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), Date.now());
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const machine = machineOf();
  say(`seed ${options.seed}; ${machine.line}`);
  const held = await (options.mutants ? mutants(options, machine) : chaos(options, machine));
  return held ? 0 : 1;
}

// Ctrl-C ends the children, too: those that were started here are told at exit.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  process.exitCode = await main();
} catch (error) {
  const expected = error instanceof UsageError || error instanceof KafkaUnavailableError;
  console.error(expected ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
