import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from './home.ts';
import { StartProblem } from './problem.ts';

export const DAY_MS = 86_400_000;
export const HISTORY_DAYS_MAX = 29;
const HISTORY_DAYS = 7;
const SEED = 1;

const progressSchema = z.object({ seed: z.number().int(), anchor: z.number(), loaded_until: z.number() });
/** Which organisation a data directory holds and up to when its events were sent, so that a later run goes on there. */
export type DemoProgress = z.infer<typeof progressSchema>;

const fileIn = (home: string) => join(home, 'demo-progress.json');

/**
 * Where the demo in a data directory stands; for a new directory, where it begins.
 * @throws StartProblem when the directory was filled by other options than are asked for now
 */
export function progressOf(
  home: string,
  wanted: { days: number | undefined; seed: number | undefined },
  nowMs: number,
): DemoProgress {
  const file = fileIn(home);
  if (!existsSync(file)) {
    const days = wanted.days ?? HISTORY_DAYS;
    return { seed: wanted.seed ?? SEED, anchor: nowMs, loaded_until: nowMs - days * DAY_MS };
  }
  const kept = progressSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const elsewhere = `name another directory with LANEWATCH_HOME, or remove ${home} to begin anew`;
  if (wanted.seed !== undefined && wanted.seed !== kept.seed) {
    throw new StartProblem(
      `--seed ${wanted.seed} asks for another organisation than the one of seed ${kept.seed} that is in ${home}: ${elsewhere}.`,
    );
  }
  if (wanted.days !== undefined) {
    throw new StartProblem(`--days counts for the first run, and the history is in ${home} already: ${elsewhere}.`);
  }
  return kept;
}

export function saveProgress(home: string, progress: DemoProgress): void {
  replaceFile(fileIn(home), JSON.stringify(progress));
}
