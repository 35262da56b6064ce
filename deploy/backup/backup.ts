import { runWithFolder } from './command.ts';
import { backUp } from './home.ts';

/** `npm run -s lanewatch -- backup DIR` */
await runWithFolder(
  'backup',
  backUp,
  (folder, summary) => `Backed up to ${folder} (${summary}). It holds secrets: keep it as you keep those.`,
);
