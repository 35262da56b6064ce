import { parseArgs } from 'node:util';
import { bootstrap } from './control.ts';
import { controlOfRunning } from './running.ts';
import { openTerminal } from './terminal.ts';
import { sayCollectorKey } from './welcome.ts';

/** `npm run -s lanewatch -- collector-key`: another collector key, with what to paste. */
try {
  const { values } = parseArgs({ options: { bare: { type: 'boolean', default: false } } });
  const { control, ingestUrl } = controlOfRunning(process.env);
  const { collectorKey } = await bootstrap(control, true);
  if (collectorKey === null) throw new Error('query-api issued no key; its log says why.');
  if (values.bare) console.log(collectorKey);
  else sayCollectorKey(openTerminal(), ingestUrl, collectorKey);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
