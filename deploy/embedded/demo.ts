import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { UsageEventInput } from '@lanewatch/ingest/contract';
import { generateEvents } from '../load/generate.ts';
import { organisationOf } from '../load/organisation.ts';
import { registerOrganisation, signIn } from '../load/register.ts';
import { sendEvents } from '../load/send.ts';
import { bootstrap, newSignInUrl, type Control } from './control.ts';
import { readSecret, replaceFile } from './home.ts';
import { runInstallation } from './run-installation.ts';
import type { Installation } from './supervisor.ts';
import type { Terminal } from './terminal.ts';

/** `npm run demo`: an installation of its own with the invented organisation in it. */
const DAY_MS = 86_400_000;
const HISTORY_DAYS_MAX = 29;
const BATCH_EVENTS = 1_000;
const BATCHES_IN_FLIGHT = 4;
const LIVE_TICK_MS = 500;
/** The key of the expiring incident ends this long after the first start: while somebody watches. */
const EXPIRES_AFTER_MS = 2 * 60_000;
/** How often the point up to which live events are sent is noted; a restart repeats at most this much. */
const PROGRESS_SAVE_MS = 5_000;

const progressSchema = z.object({ seed: z.number().int(), anchor: z.number(), loaded_until: z.number() });
type Progress = z.infer<typeof progressSchema>;

function readOptions(): { readyFile: string | undefined; days: number; seed: number } {
  const { values } = parseArgs({
    options: {
      'ready-file': { type: 'string' },
      days: { type: 'string', default: '7' },
      seed: { type: 'string', default: '1' },
    },
  });
  const days = Number(values.days);
  const seed = Number(values.seed);
  if (!(days >= 0 && days <= HISTORY_DAYS_MAX)) throw new Error(`--days must be 0 to ${HISTORY_DAYS_MAX}.`);
  if (!Number.isInteger(seed) || seed < 0) throw new Error('--seed must be a whole number.');
  return { readyFile: values['ready-file'], days, seed };
}

async function play(
  installation: Installation,
  terminal: Terminal,
  quit: AbortSignal,
  options: { days: number; seed: number },
): Promise<void> {
  const { config, urls, secrets } = installation;
  const control: Control = { queryApiUrl: urls.queryApi, token: secrets.controlToken };
  const progressFile = join(config.home, 'demo-progress.json');
  const now = Date.now();
  const progress: Progress = existsSync(progressFile)
    ? progressSchema.parse(JSON.parse(readFileSync(progressFile, 'utf8')))
    : { seed: options.seed, anchor: now, loaded_until: now - options.days * DAY_MS };
  const save = (loadedUntil: number) => {
    progress.loaded_until = loadedUntil;
    replaceFile(progressFile, JSON.stringify(progress));
  };
  const organisation = organisationOf(progress.seed);
  const key = await loaderKey(config.home, control);

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
  await loadHistory(generate(progress.loaded_until, now), progress.loaded_until, now, terminal, save, (batch) =>
    sendEvents(urls.ingest, key, batch, quit),
  );
  save(now);
  terminal.say(`  Live traffic runs. Look at ${config.dashboardUrl}`);
  await live(generate(now, now + 365 * DAY_MS), (batch) => sendEvents(urls.ingest, key, batch, quit), save, quit);
}

/** The demo's loader is a collector: like any other it keeps its key on its side. */
async function loaderKey(home: string, control: Control): Promise<string> {
  const kept = readSecret(home, 'demo-collector-key');
  if (kept !== null) return kept;
  const { collectorKey } = await bootstrap(control, true);
  if (collectorKey === null) throw new Error('query-api issued no collector key.');
  replaceFile(join(home, 'secrets', 'demo-collector-key'), `${collectorKey}\n`);
  return collectorKey;
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
  await runInstallation({
    subdirectory: 'demo',
    readyFile,
    async afterStart(installation, terminal, quit) {
      await play(installation, terminal, quit, options).catch((error: unknown) => {
        // Sending ends with the installation; that is no failure.
        if (!quit.aborted) throw error;
      });
    },
  });
} catch (error) {
  console.error(`${(error as Error).message} npm run demo -- --help says what there is.`);
  process.exitCode = 1;
}
