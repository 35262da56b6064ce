import { fromCaller } from '../embedded/caller.ts';
import { sentenceOf, StartProblem } from '../embedded/problem.ts';
import { SnapshotProblem, type Manifest } from './snapshot.ts';

const MIB = 1024 * 1024;

/** Runs a command that has one folder as its argument, says what came of it and sets the exit code. */
export async function runWithFolder(
  command: 'backup' | 'restore',
  work: (environment: Record<string, string | undefined>, folder: string) => Promise<Manifest>,
  done: (folder: string, summary: string) => string,
): Promise<void> {
  const [folder, ...rest] = process.argv.slice(2);
  if (folder === undefined || rest.length > 0) {
    console.error(`Name one folder: npm run -s lanewatch -- ${command} DIR`);
    process.exitCode = 2;
    return;
  }
  try {
    const { files, created_at } = await work(process.env, fromCaller(folder));
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    console.log(done(fromCaller(folder), `${files.length} files, ${(bytes / MIB).toFixed(1)} MiB, of ${created_at}`));
  } catch (error) {
    const isOfSystem = (error as NodeJS.ErrnoException).syscall !== undefined;
    if (!(error instanceof StartProblem || error instanceof SnapshotProblem || isOfSystem)) throw error;
    console.error(sentenceOf(error));
    process.exitCode = 1;
  }
}
