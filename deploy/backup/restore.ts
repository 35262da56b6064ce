import { runWithFolder } from './command.ts';
import { restore } from './home.ts';

/** `npm run -s lanewatch -- restore DIR` */
await runWithFolder(
  'restore',
  restore,
  (folder, summary) => `Restored from ${folder} (${summary}). npm start goes on from there.`,
);
