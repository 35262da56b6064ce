import { readArguments, UsageError, type SimOptions } from './arguments.ts';
import { readItems, readLabels, writeRun } from './files.ts';
import { falseLines, reportOf } from './report.ts';
import { scoreOf, sumOf, type Score } from './score.ts';
import { simulate } from './simulate.ts';
import { createWatcher } from './watch.ts';

/** Days when nothing is said. */
const DAYS_WRITTEN = 30;
const DAYS_SCORED = 14;
const DAY_MS = 86_400_000;

async function write({ seeds, days = DAYS_WRITTEN, learnDays, people, out = 'sim' }: SimOptions): Promise<void> {
  for (const seed of seeds) {
    const directory = seeds.length === 1 ? out : `${out}/seed-${seed}`;
    const simulation = simulate({ seed, days, learnDays, people });
    await writeRun(directory, simulation.items(), simulation.labels);
    process.stdout.write(
      `${directory}/events.ndjson and labels.ndjson: seed ${seed}, scored from ${new Date(simulation.fromMs).toISOString()}\n`,
    );
  }
}

async function scoreSimulated({ seeds, days = DAYS_SCORED, learnDays, people }: SimOptions): Promise<Score> {
  const scores: Score[] = [];
  for (const seed of seeds) {
    const startedMs = performance.now();
    const { items, labels, fromMs, toMs } = simulate({ seed, days, learnDays, people });
    const watcher = createWatcher(fromMs);
    for (const item of items()) {
      const jobs = watcher.take(item);
      if (jobs !== undefined) await jobs;
    }
    const watched = watcher.finish();
    process.stderr.write(
      `seed ${seed}: ${watched.events} events, ${watched.lanes} lanes, ${((performance.now() - startedMs) / 1000).toFixed(1)} s\n`,
    );
    scores.push(scoreOf(watched, labels, fromMs, toMs));
  }
  return sumOf(scores);
}

/** Without `--from` the first days of the file are for learning, as in simulated traffic. */
async function scoreFiles(eventsFile: string, labelsFile: string, { from, learnDays }: SimOptions): Promise<Score> {
  const labels = await readLabels(labelsFile);
  let watcher: ReturnType<typeof createWatcher> | null = null;
  let fromMs = from === undefined ? NaN : Date.parse(from);
  let toMs = 0;
  for await (const item of readItems(eventsFile)) {
    // The registry as it was found stands at the beginning, long before the first event.
    if (watcher === null && item.kind === 'event') {
      if (Number.isNaN(fromMs)) fromMs = item.atMs + learnDays * DAY_MS;
    }
    watcher ??= createWatcher(() => fromMs);
    await watcher.take(item);
    toMs = item.atMs;
  }
  if (watcher === null) throw new UsageError(`${eventsFile} is empty`);
  return scoreOf(watcher.finish(), labels, fromMs, toMs);
}

try {
  const { command, options } = readArguments(process.argv.slice(2));
  if (command === 'write') await write(options);
  else {
    const { events, labels } = options;
    const score = events !== undefined ? await scoreFiles(events, labels!, options) : await scoreSimulated(options);
    if (options.showFalse) process.stdout.write(falseLines(score));
    process.stdout.write(`${reportOf(score)}\n`);
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
