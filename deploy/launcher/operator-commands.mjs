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
  clients: {
    summary: 'run real clients against a provider on loopback and compare the ledger with what it answered',
    entry: 'clients/main.ts',
    help: `npm run -s lanewatch -- clients --ready-file FILE [options] [claude-code|codex|gemini-cli|litellm …]

Runs clients unmodified, each in a home directory of its own with the lines of connect, against a model provider on loopback. Each
request must be one row of the ledger with its person, key, model, tokens and a cost. deploy/README.md says how to install them.

  --ready-file FILE   of npm start -- --ready-file FILE
  --npm DIR           where npm installed the CLIs             (default: here)
  --litellm COMMAND   the command of the proxy                 (default: litellm)
  --provider-port N   go through the observing proxy, which was started with this port of loopback as its providers:
                      PROXY_PROVIDERS=anthropic=http://127.0.0.1:N,openai=http://127.0.0.1:N,google=http://127.0.0.1:N
  --both              with --provider-port: they report themselves, too, and each request must still count once
  --keep              keep the home directories
  --help              this text`,
  },
  import: {
    summary: 'register the keys that a provider tells of',
    entry: 'embedded/import.ts',
    help: `npm run -s lanewatch -- import anthropic|openai [options]

Says which keys the provider's admin interface tells of, and which of them are in use already. Lanewatch must be running, and was started
with a file that holds an admin key (ANTHROPIC_ADMIN_KEY_FILE, OPENAI_ADMIN_KEY_FILE).

  --register   register those that are new; without it nothing is changed
  --org ORG    organization as events of these keys name it; needed for keys that were not seen yet
  --help       this text`,
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
