import { SETTINGS } from './settings-text.mjs';
import { OPERATOR_COMMANDS } from './operator-commands.mjs';

/**
 * Every command of this repository: what it runs, what must be there first, and its help text. The help stands here and not
 * in the commands, so that asking for it never installs anything.
 *
 * @typedef {object} Command
 * @property {string} summary one line for the list of commands
 * @property {string} help text of `--help`
 * @property {string} entry TypeScript file below `deploy/` that Node 24 runs
 * @property {boolean} [dashboard] whether the built dashboard is needed
 */

/** @type {Record<string, Command>} */
export const COMMANDS = {
  start: {
    summary: 'start everything on this machine and print how to sign in and how to send events',
    entry: 'embedded/start.ts',
    dashboard: true,
    help: `npm start [-- options]

Installs and builds what is missing, starts the embedded engines, the three services and the dashboard, and prints the sign-in
link, a collector key and the lines that point an agent here. Ctrl-C stops all of it; the next start finds the data again.

  --ready-file FILE   once everything answers, write addresses and secrets to FILE as JSON (mode 0600); removed at exit
  --help              this text
${SETTINGS}`,
  },
  demo: {
    summary: 'the same with an invented organisation: some days of history, then live traffic',
    entry: 'embedded/demo.ts',
    dashboard: true,
    help: `npm run demo [-- options]

As npm start, with data of its own in $LANEWATCH_HOME/demo: about 40 keys, 60 people, several agents and a handful of incidents.
The first run loads the history; later runs load what is missing since and go on with live traffic.

  --days N            days of history, on the first run               (default 7)
  --seed N            another organisation, on the first run          (default 1)
  --ready-file FILE   as npm start
  --help              this text
${SETTINGS}`,
  },
  'sign-in': {
    summary: 'print a new sign-in link of the running installation',
    entry: 'embedded/sign-in.ts',
    help: `npm run -s lanewatch -- sign-in

Prints a new one-time sign-in link. The installation must be running (npm start).`,
  },
  ...OPERATOR_COMMANDS,
  'verify-audit': {
    summary: 'check that no row of the audit trail was changed, removed, inserted or moved',
    entry: 'embedded/verify-audit.ts',
    help: `npm run verify-audit -- [RECEIPT …]

Reads the audit trail from the database and names the first row that is not as it was written. Receipts of exports that were kept
elsewhere tell of a trail that was cut off or written anew. Ends with 0 when it holds, 1 when not, 2 when it can't be read.

  DATABASE_URL     postgres://… of the registry; without it the embedded database in LANEWATCH_HOME, while Lanewatch is stopped
  --help           this text`,
  },
  'verify-export': {
    summary: 'check an exported file against its receipt, offline',
    entry: '../query-api/src/exports/verify-export.ts',
    help: `npm run verify-export -- FILE RECEIPT

Needs only the two files: compares bytes, SHA-256 and rows, checks the receipt's signature, and of an audit trail as JSON every hash.
Ends with 0 when the file is the one that was exported, 1 when not, 2 when it can't be read.

  --help           this text`,
  },
  'collector-key': {
    summary: 'issue another collector key and print it with the lines that use it',
    entry: 'embedded/collector-key.ts',
    help: `npm run -s lanewatch -- collector-key [options]

Issues a key with which a collector may send events, and prints it once. The installation must be running (npm start).

  --bare        print the key alone
  --help        this text`,
  },
  analyst: {
    summary: 'print how tools that analysts have read the ledger: Python, JDBC, dbt, Superset, Grafana',
    entry: 'analyst/main.ts',
    help: `npm run -s lanewatch -- analyst [options]

Prints where the engine of the running installation is, the user that may only read, its password, and lines for each tool.

  --password        print the password alone
  --try             ask with clickhouse-connect, SQLAlchemy, JDBC, clickhouse-go and dbt, fetched from their registries
  --notebooks DIR   run deploy/analyst/notebooks, and write them with their answers into DIR`,
  },
  connect: {
    summary: 'print or write the configuration of a client, and try whether its reports arrive',
    entry: 'connect/main.ts',
    help: `npm run -s lanewatch -- connect CLIENT [options]

Prints the lines that make a client report here. Lanewatch must be running (npm start), or named by --url.

  CLIENT        claude-code, codex, gemini-cli, litellm, kong, envoy, nginx, otel-collector, fluent-bit, vector, langfuse, otel
  --write       put them into the client's own file: the rest of it stays, a copy of it is kept, what changed is shown;
                a second time changes nothing
  --file FILE   the file to write, for clients that have no fixed place
  --test        send a test event the way that the client's reports go, and say what came of it
  --url URL     address of ingest            (default: the installation that runs)
  --key KEY     collector key                (default: $COLLECTOR_KEY, the key that the file has, or a new one)
  --key-file F  file that holds the collector key
  --fleet SYS   print machine-wide files for linux, macos or windows instead, with --url: claude-code, codex, gemini-cli;
                mdm: profiles for a device management: claude-code, codex
  --help        this text

The provider's key of the client stays on this machine: its fingerprint and hint are computed here from the variable that
holds it (or from LANEWATCH_PROVIDER_KEY).`,
  },
  load: {
    summary: 'send events of the invented organisation to any ingest, or write a large ledger of the past',
    entry: 'load/main.ts',
    help: `npm run load -- [options]

Sends events of the invented organisation.

  --url URL       ingest to send to          (default $INGEST_URL or http://127.0.0.1:4618)
  --key KEY       collector key              (default $COLLECTOR_KEY)
  --rate N        events per second          (default 100)
  --seconds N     how long                   (default 10)
  --batch N       events per request at most (default 100; never more than a second's)
  --seed N        which organisation         (default 1)
  --print         write the events to standard output as NDJSON and send nothing
  --help          this text

With --rows it writes a ledger of the past instead, straight into the engine of a new installation in $LANEWATCH_HOME, which must be
empty; npm start with the same LANEWATCH_HOME then shows it. The same options at the same minute give the same rows.

  --rows N        rows of the ledger
  --lanes N       keys in use                (default 2000)
  --days N        days up to now             (default 90)
  --seed N        which                      (default 1)`,
  },
  sim: {
    summary: 'simulate an organisation with labelled incidents, or score the rules on it',
    entry: '../detector/sim/main.ts',
    help: `npm run sim -- [score] [options]

Simulates an organisation at work and what goes wrong in it, the same for a seed every time. Without a command it writes
DIR/events.ndjson (usage events and registry records in the order of receipt) and DIR/labels.ndjson (the incidents).

  --seed N        which organisation                      (default 1)
  --seeds A..B    several, or 1,7,9
  --days N        days with incidents                     (default 30; score: 14)
  --learn-days N  days before them, in which baselines are learned and nothing is scored    (default 10)
  --people N      people at the start                     (default 140)
  --out DIR       where to write                          (default sim)

score runs the same through the detector's registry, classification, lane state and rules, in this process with the time of the
events as its clock (no bus, no engine), and prints what was found by incident and by rule. Its last lines are recall, false findings per
1,000 lanes and day, and the median time to a finding; all count findings of medium severity and above.

  --events FILE --labels FILE   score this traffic instead; detector/sim/README.md describes both files
  --from TIME                   since when it is scored         (default: --learn-days after its first event)
  --false                       list every missed incident and false finding first
  --help                        this text`,
  },
  nab: {
    summary: 'score the baselines of spend and volume on the Numenta Anomaly Benchmark',
    entry: '../detector/nab/main.ts',
    help: `npm run nab -- --data FOLDER

Runs what R10 and R11 take for usual over each file of the benchmark, every row a call that costs its value, and prints the scores of
the benchmark's three profiles: 0 for a detector that says nothing, 100 for a perfect one, with one threshold for all files, the best.

  --data FOLDER   a clone of https://github.com/numenta/NAB, or data/*/*.csv and labels/combined_windows.json of it
  --help          this text`,
  },
  test: {
    summary: 'run all tests and say which real parts they used',
    entry: 'test-run/main.ts',
    dashboard: true,
    help: `npm test [-- options and file filters of vitest]

Runs every test. Kafka, ClickHouse and Postgres come from KAFKA_BROKERS, CLICKHOUSE_URL and POSTGRES_URL when set, else from Docker
where it answers, else from this machine (Kafka from Maven Central, Postgres from apt as root), else the embedded engines. The last
lines say which were used, what was left out, and the counts. With CI=true nothing may be left out.

  --project unit|int|e2e   only these tests
  --help                   this text`,
  },
  check: {
    summary: 'types, lint, format, unused code, directions of dependencies',
    entry: 'check/main.ts',
    help: `npm run check [-- --fix]

Runs tsc, svelte-check, eslint, prettier, knip and the tidy tests; ends with one line per check.

  --fix    let eslint and prettier repair what they can
  --help   this text`,
  },
  bench: {
    summary: 'measure throughput, latency and memory',
    entry: 'bench/main.ts',
    help: `npm run bench [-- options]

Measures against named peers or limits, each pair interleaved in one run, and prints medians as one table.

  --only IDS      comma-separated ids, such as P1,P2    (default: all)
  --runs N        interleaved runs of each side         (default 5)
  --events N      events per run of the path            (default 1000000)
  --ledger HOME   read this ledger for P8, made by npm run load -- --rows; may be given several times    (default: writes two first)
  --json FILE     write every single figure as JSON     (default deploy/bench/results.json, when all ran and none failed)
  --list          list the benches
  --help          this text`,
  },
  chaos: {
    summary: 'kill and pause processes under load and check the ledger afterwards',
    entry: 'chaos/main.ts',
    help: `npm run chaos [-- options]

Runs ingest, two detectors, the ClickHouse engine and the bus as processes of their own, posts events like careful collectors, puts a
tenth of them on the bus itself and on any partition, does harm in turn, and then compares ledger, roll-ups, findings and dead letters
with what was sent and with an undisturbed run over the same bus. Some requests have two reports, each of
which must count once. Ends with 1 when something does not hold; data and logs of that run
stay where the last lines say.

  --kills N         faults per bus                               (default 60)
  --bus NAME        kafka, embedded or both                      (default both)
  --brokers N       brokers of Kafka: of three, each has every partition, and one at a time is killed    (default 1)
  --seed N          repeats the choices of an earlier run        (default: the time)
  --faults a,b      only these                                   (default all)
  --rate N          events per second                            (default 300)
  --json FILE       write the results to FILE, too
  --mutants         run three detectors that each break one guarantee; ends with 1 unless every one is caught
  --against URL     harm an installation of yours instead: posts to this ingest, reads its ledger, and compares at the end what was sent
  --hook COMMAND    what does the harm there, once a fault, with its number in CHAOS_FAULT    (default: says what to do, and waits for Enter)
  --help            this text

With --against the environment has COLLECTOR_KEY, CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD and CLICKHOUSE_DATABASE. Its events are of
keys that nobody registered, from sources chaos/…, so it raises findings: take an installation that is there for that.

Faults:
  ingest            kill -9 ingest, mostly with requests under way
  detector          kill -9 one detector or all of them
  engine            kill -9 the ClickHouse engine
  torn              the same while it writes a part, before that is renamed into place
  broker            kill -9 the broker, of several one in turn; embedded: every process that has the bus open
  answers           inserts cut in half, answers lost or withheld between detector and engine
  late              an insert kept by the network until its detector has stored the batch by another attempt
  pause             SIGSTOP a detector past its session, SIGCONT it after its successor wrote`,
  },
  kafka: {
    summary: 'a single-node Kafka for development, without Docker',
    entry: 'kafka/main.ts',
    help: `npm run kafka -- [options]

Starts a single-node Kafka for development on 127.0.0.1, without Docker. Needs Java 17+ and, the first time, Maven.

  --port N      port to listen on        (KAFKA_PORT, default 9092)
  --dir DIR     where it keeps its data  (KAFKA_DIR, default deploy/kafka/.data)
  --heap-mb N   Java heap in MiB         (KAFKA_HEAP_MB, default 512)
  --help        this text

Ctrl-C stops it; the next start finds the data again.`,
  },
};

/** The text of `--help` without a command. */
export function overview() {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `Lanewatch watches how API keys are used.

  npm start                          start everything
  npm run -s lanewatch -- COMMAND    any command below; COMMAND --help says more

${lines.join('\n')}`;
}
