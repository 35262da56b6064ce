import { parseArgs } from 'node:util';
import { sentenceOf } from './problem.ts';
import { runInstallation } from './run-installation.ts';

/** `npm start`: everything embedded, or with servers where the environment names them. */
try {
  const { values } = parseArgs({ options: { 'ready-file': { type: 'string' } } });
  await runInstallation({ subdirectory: '', readyFile: values['ready-file'] });
} catch (error) {
  console.error(`${sentenceOf(error)} npm start -- --help says what there is.`);
  process.exitCode = 1;
}
