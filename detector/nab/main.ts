import { parseArgs } from 'node:util';
import { DETECTORS } from './detectors.ts';
import { bestResult, PROFILES } from './scoring.ts';
import { readSeries } from './series.ts';

try {
  const { data } = parseArgs({ options: { data: { type: 'string' } } }).values;
  if (data === undefined) throw new Error('--data must name the folder of the benchmark: npm run nab -- --data FOLDER');
  const series = await readSeries(data);
  const windows = series.reduce((sum, own) => sum + own.windows.length, 0);
  process.stdout.write(`${series.length} files, ${windows} windows\n`);
  for (const { name, scoresOf } of DETECTORS) {
    const scored = series.map((own) => ({ windows: own.windows, scores: scoresOf(own.timesMs, own.values) }));
    process.stdout.write(`\n${name}\n`);
    for (const profile of PROFILES) {
      const { score, threshold } = bestResult(scored, profile);
      process.stdout.write(
        `  ${profile.name.padEnd(20)}${score.toFixed(1).padStart(6)}   threshold ${threshold.toFixed(2)}\n`,
      );
    }
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
