/** Commands of whoever runs an installation. @type {Record<string, import('./commands.mjs').Command>} */
export const OPERATOR_COMMANDS = {
  backup: {
    summary: 'copy ledger, registry, bus and secrets of the embedded stores, while Lanewatch is stopped',
    entry: 'backup/backup.ts',
    help: `npm run -s lanewatch -- backup DIR

Copies everything in the data directory but logs and the demo to DIR, which must be empty or not there, with a list of all files and
their SHA-256. Lanewatch must be stopped. Stores on servers: deploy/backup/README.md.

  LANEWATCH_HOME   the data directory   (default ./.lanewatch)
  --help           this text`,
  },
  restore: {
    summary: 'put a backup into an empty data directory',
    entry: 'backup/restore.ts',
    help: `npm run -s lanewatch -- restore DIR

Compares every file of the backup in DIR with its list, then copies it into the data directory, which must be empty or not there.

  LANEWATCH_HOME   the data directory   (default ./.lanewatch)
  --help           this text`,
  },
  capacity: {
    summary: 'what an installation needs at a rate of events, from measured figures',
    entry: 'capacity/main.ts',
    help: `npm run -s lanewatch -- capacity [options]

Prints cores, memory, partitions and disk for 1,000, 100,000 and 1,000,000 events a second, or for the rate that is named.

  --events N   events a second, sustained
  --lanes N    keys in use          (default 10000)
  --help       this text`,
  },
};
