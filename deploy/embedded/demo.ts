import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { UsageEventInput } from '@lanewatch/ingest/contract';
import { generateEvents } from '../load/generate.ts';
import { organisationOf } from '../load/organisation.ts';
import { registerOrganisation, signIn } from '../load/register.ts';
import { readStartConfig } from './config.ts';
import { newSignInUrl, type Control } from './control.ts';
import { openDemoCollector } from './demo-collector.ts';
import { DAY_MS, HISTORY_DAYS_MAX, progressOf, saveProgress } from './demo-progress.ts';
import { sentenceOf } from './problem.ts';
import { runInstallation } from './run-installation.ts';
import { ROOT, type Installation } from './supervisor.ts';
import type { Terminal } from './terminal.ts';

/** `npm run demo`: an installation of its own with the invented organisation in it. */
const SUBDIRECTORY = 'demo';
const BATCH_EVENTS = 1_000;
const BATCHES_IN_FLIGHT = 4;
const LIVE_TICK_MS = 500;
/** The key of the expiring incident ends this long after the first start: while somebody watches. */
const EXPIRES_AFTER_MS = 2 * 60_000;
/** How often the point up to which live events are sent is noted; a restart repeats at most this much. */
const PROGRESS_SAVE_MS = 5_000;

function readOptions(): { readyFile: string | undefined; days: number | undefined; seed: number | undefined } {
  const { values } = parseArgs({
    options: { 'ready-file': { type: 'string' }, days: { type: 'string' }, seed: { type: 'string' } },
  });
  const days = values.days === undefined ? undefined : Number(values.days);
  const seed = values.seed === undefined ? undefined : Number(values.seed);
  if (days !== undefined && !(days >= 0 && days <= HISTORY_DAYS_MAX)) {
    throw new Error(`--days must be 0 to ${HISTORY_DAYS_MAX}.`);
  }
  if (seed !== undefined && (!Number.isInteger(seed) || seed < 0)) throw new Error('--seed must be a whole number.');
  return { readyFile: values['ready-file'], days, seed };
}

async function play(
  installation: Installation,
  terminal: Terminal,
  quit: AbortSignal,
  options: { days: number | undefined; seed: number | undefined },
): Promise<void> {
  const { config, urls, secrets } = installation;
  const control: Control = { queryApiUrl: urls.queryApi, token: secrets.controlToken };
  const now = Date.now();
  const progress = progressOf(config.home, options, now);
  const save = (loadedUntil: number) => {
    progress.loaded_until = loadedUntil;
    saveProgress(config.home, progress);
  };
  const organisation = organisationOf(progress.seed);
  const collector = await openDemoCollector({
    home: config.home,
    control,
    ingestUrl: urls.ingest,
    quit,
    onRenewal: (reason) => {
      terminal.say(
        `  The demo goes on with a new collector key, because the last one is not taken any more. ${reason}`,
      );
    },
  });

  terminal.say('');
  const registrar = await signIn(urls.queryApi, await newSignInUrl(control));
  const registered = await registerOrganisation(
    registrar,
    organisation,
    new Date(now + EXPIRES_AFTER_MS),
    (done, total) => {
      terminal.progress(`  Registering keys ${done} of ${total}`);
    },
  );
  terminal.say(
    `  ${registered} keys registered, ${organisation.keys.length} in use, ${organisation.people.length} people`,
  );

  // After a long pause only what readers can still choose as a window is worth loading.
  progress.loaded_until = Math.max(progress.loaded_until, now - HISTORY_DAYS_MAX * DAY_MS);
  const generate = (from: number, to: number) =>
    generateEvents({ seed: progress.seed, from, to, anchor: progress.anchor });
  const history = generate(progress.loaded_until, now);
  await loadHistory(history, progress.loaded_until, now, terminal, save, collector.send);
  save(now);
  terminal.say(`  Live traffic runs. Look at ${config.dashboardUrl}`);
  await live(generate(now, now + 365 * DAY_MS), collector.send, save, quit);
}

async function loadHistory(
  events: Iterable<UsageEventInput>,
  from: number,
  to: number,
  terminal: Terminal,
  save: (loadedUntil: number) => void,
  send: (batch: UsageEventInput[]) => Promise<number>,
): Promise<void> {
  const startedAt = performance.now();
  let loaded = 0;
  let reached = from;
  const flush = async (batches: UsageEventInput[][]) => {
    // A round is complete before its end is noted, so that a crash repeats events and never skips any.
    const counts = await Promise.all(batches.map(send));
    loaded += counts.reduce((sum, count) => sum + count, 0);
    reached = Date.parse(batches.at(-1)?.at(-1)?.time ?? new Date(reached).toISOString());
    save(reached);
    terminal.progress(`  Loading history ${bar((reached - from) / Math.max(1, to - from))} ${loaded} events`);
  };
  let batches: UsageEventInput[][] = [[]];
  for (const event of events) {
    if (batches.at(-1)!.length >= BATCH_EVENTS) {
      if (batches.length >= BATCHES_IN_FLIGHT) {
        await flush(batches);
        batches = [];
      }
      batches.push([]);
    }
    batches.at(-1)!.push(event);
  }
  if (batches[0]!.length > 0) await flush(batches);
  const seconds = (performance.now() - startedAt) / 1000;
  terminal.say(`  ${loaded} events of history loaded in ${seconds.toFixed(1)} s`);
}

const BAR_CELLS = 30;

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * BAR_CELLS);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${String(Math.round(share * 100)).padStart(3)} %`;
}

/** Sends each event when its time has come. */
async function live(
  events: Iterator<UsageEventInput>,
  send: (batch: UsageEventInput[]) => Promise<number>,
  save: (loadedUntil: number) => void,
  quit: AbortSignal,
): Promise<void> {
  let next = events.next();
  let savedAt = Date.now();
  while (!quit.aborted && !next.done) {
    const now = Date.now();
    const due: UsageEventInput[] = [];
    while (!next.done && due.length < BATCH_EVENTS && Date.parse(next.value.time) < now) {
      due.push(next.value);
      next = events.next();
    }
    if (due.length > 0) await send(due);
    if (due.length < BATCH_EVENTS && now - savedAt > PROGRESS_SAVE_MS) {
      save(now);
      savedAt = now;
    }
    await delay(LIVE_TICK_MS, undefined, { signal: quit });
  }
}

try {
  const { readyFile, ...options } = readOptions();
  // Said before anything is started, not after.
  progressOf(readStartConfig(process.env, ROOT, SUBDIRECTORY).home, options, Date.now());
  await runInstallation({
    subdirectory: SUBDIRECTORY,
    readyFile,
    async afterStart(installation, terminal, quit) {
      await play(installation, terminal, quit, options).catch((error: unknown) => {
        // Sending ends with the installation; that is no failure.
        if (!quit.aborted) throw error;
      });
    },
  });
} catch (error) {
  console.error(`${sentenceOf(error)} npm run demo -- --help says what there is.`);
  process.exitCode = 1;
}
