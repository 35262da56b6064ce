import { hostname } from 'node:os';
import { busRetentionSetting, busUrlSetting, topicPrefixSetting, withSecretFiles } from '@lanewatch/ingest/contract';
import { z } from 'zod';
import { CONSUMER_GROUP_DEFAULT, RULE_CATALOGUE } from '../contract/index.ts';
import { INSERT_ROWS_MAX } from './ledger/ledger.ts';
import { RECORD_EVENTS_MAX } from './pipeline/decode.ts';
import { parametersOf, ruleOverridesSchema } from './rules/parameters.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().min(1);

/** What RULE_PARAMETERS may hold, in its own form: every rule that has parameters, with the defaults. */
const RULE_DEFAULTS = RULE_CATALOGUE.map(({ id }) => [id, parametersOf(id)] as const)
  .filter(([, parameters]) => Object.keys(parameters).length > 0)
  .map((rule) => `      ${JSON.stringify(Object.fromEntries([rule]))}`)
  .join('\n');

/** Everything the detector reads from its environment, and the only place that does. */
const configSchema = z
  .object({
    INSTANCE: z
      .string()
      .min(1)
      .max(80)
      .default(`${hostname()}-${process.pid}`)
      .describe('Name of this process among the detectors'),
    DETECTOR_HOST: z.string().default('127.0.0.1').describe('Address of health and metrics'),
    DETECTOR_PORT: port.default(4614).describe('Port of health and metrics, 0 for any'),
    BUS_URL: busUrlSetting.describe('kafka://host:port,… or lmdb:/directory'),
    TOPIC_PREFIX: topicPrefixSetting.describe('Put before every topic name'),
    BUS_RETENTION_HOURS: busRetentionSetting,
    USAGE_PARTITIONS: z.coerce
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(12)
      .describe('Partitions of the usage topic when it is created here'),
    CONSUMER_GROUP: z
      .string()
      .min(1)
      .default(CONSUMER_GROUP_DEFAULT)
      .describe('Consumer group; detectors of one group share the partitions'),
    CLICKHOUSE_URL: z.url().describe('ClickHouse over HTTP, such as http://host:8123'),
    CLICKHOUSE_USER: z.string().default('default').describe('User that may create tables and write them'),
    CLICKHOUSE_PASSWORD: z.string().default('').describe('Password of that user'),
    CLICKHOUSE_DATABASE: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, 'must be a plain identifier')
      .default('lanewatch')
      .describe('Database of the ledger, created when it is missing'),
    LEDGER_ENGINE: z
      .string()
      .default('MergeTree')
      .describe('Table engine, such as ReplicatedMergeTree(…); a ledger keeps the one it was made with'),
    LEDGER_FSYNC: z.stringbool().default(false).describe('Sync every insert to disk; the embedded ledger turns it on'),
    LEDGER_CLUSTER: z
      .string()
      .regex(/^[\w.-]{0,100}$/, 'must be the name of a cluster')
      .default('')
      .describe('Cluster of replicas that the ledger lies on, by its name in system.clusters; empty for one server'),
    LEDGER_INSERT_QUORUM: z.coerce
      .number()
      .int()
      .min(0)
      .max(100)
      .default(0)
      .describe('Replicas that have to have rows before their batch counts as stored; 0 for one server'),
    LEDGER_RETENTION_DAYS: z.coerce
      .number()
      .int()
      .min(0)
      .max(36_500)
      .default(0)
      .describe(
        'Days of the ledger that are kept, by the day they were stored, at least LANE_HISTORY_DAYS; 0 keeps all',
      ),
    LEDGER_COLD_DAYS: z.coerce
      .number()
      .int()
      .min(0)
      .max(36_500)
      .default(0)
      .describe('Days after which a day of the ledger moves to LEDGER_COLD_VOLUME; 0 moves none'),
    LEDGER_COLD_VOLUME: z
      .string()
      .regex(/^\w{1,100}$/, 'must be the name of a volume')
      .default('cold')
      .describe('Volume for old days in the storage policy of the ledger’s table'),
    // Reached only by a detector that has to catch up: else what came during the insert before is a batch. Large, because few
    // large parts are less to merge than many small ones. A batch takes whole records, so it exceeds this by one
    // record's events at most; with those it must still be one insert.
    BATCH_ROWS_MAX: z.coerce
      .number()
      .int()
      .min(1)
      .max(INSERT_ROWS_MAX - RECORD_EVENTS_MAX)
      .default(100_000)
      .describe('Rows from which a batch is inserted'),
    FLUSH_INTERVAL_MS: milliseconds.max(60_000).default(200).describe('How long a row waits for others at most'),
    DEDUPE_WINDOW_HOURS: z.coerce
      .number()
      .min(0.01)
      .max(720)
      .default(24)
      .describe('How long an event id is remembered'),
    DEDUPE_IDS_MAX: z.coerce
      .number()
      .int()
      .min(1000)
      .max(200_000_000)
      .default(8_000_000)
      .describe('Event ids remembered at most'),
    LANES_MAX: z.coerce.number().int().min(100).default(200_000).describe('Lanes held in memory at most'),
    VALUES_PER_LANE: z.coerce
      .number()
      .int()
      .min(4)
      .max(1024)
      .default(32)
      .describe('People, other users, endpoints, agents, sessions, repos, models, environments held per lane, each'),
    EXTRA_VALUES_MAX: z.coerce
      .number()
      .int()
      .min(0)
      .max(100_000_000)
      .default(1_000_000)
      .describe('People, repos and environments held beyond VALUES_PER_LANE, over all lanes'),
    GEOIP_DB: z
      .string()
      .default('')
      .describe('Countries or cities of addresses, in MaxMind’s format; what comes with Lanewatch (CC0) when empty'),
    GEOIP_ASN_DB: z
      .string()
      .default('')
      .describe(
        'Networks (autonomous systems) of addresses, in MaxMind’s format; address ranges stand for them when empty',
      ),
    LANE_HISTORY_DAYS: z.coerce
      .number()
      .min(1)
      .max(3650)
      .default(45)
      .describe('How far back lanes are restored after a restart'),
    RULE_PARAMETERS: z
      .string()
      .default('{}')
      .pipe(ruleOverridesSchema)
      .describe(`Rule parameters other than the defaults, as JSON: by rule, by name.\n${RULE_DEFAULTS}`),
    SESSION_TIMEOUT_MS: milliseconds
      .min(2000)
      .default(30_000)
      .describe('A detector silent for this long loses its partitions'),
    INSERT_TIMEOUT_MS: milliseconds
      .default(20_000)
      .describe('Time limit of one insert; shorter than SESSION_TIMEOUT_MS'),
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('Log lines of this level and above: fatal, error, warn, info, debug, trace or silent'),
  })
  .refine((config) => config.INSERT_TIMEOUT_MS < config.SESSION_TIMEOUT_MS, {
    path: ['INSERT_TIMEOUT_MS'],
    message: 'must be shorter than SESSION_TIMEOUT_MS, so that an insert ends before its partitions can be lost',
  })
  .refine(({ LEDGER_CLUSTER: cluster, LEDGER_ENGINE: engine }) => (cluster === '') === !/^Replicated/.test(engine), {
    path: ['LEDGER_CLUSTER'],
    message: 'goes with LEDGER_ENGINE=ReplicatedMergeTree: each replica has to hear who holds which partition',
  })
  .refine(({ LEDGER_RETENTION_DAYS: kept, LANE_HISTORY_DAYS: learned }) => kept === 0 || kept >= learned, {
    path: ['LEDGER_RETENTION_DAYS'],
    message: 'must be at least LANE_HISTORY_DAYS, or what a lane is used to would be forgotten at every restart',
  });

/** What may lie in a file that NAME_FILE names. */
const SECRETS = ['BUS_URL', 'CLICKHOUSE_PASSWORD'];

export type DetectorConfig = z.infer<typeof configSchema>;

/**
 * Reads the configuration.
 * @param env usually process.env
 * @throws Error with every problem in one message
 */
export function loadConfig(env: NodeJS.ProcessEnv): DetectorConfig {
  // An empty variable is how a compose file or shell says "not set".
  const { given, problems } = withSecretFiles(env, SECRETS);
  const result = configSchema.safeParse(given);
  if (result.success && problems.length === 0) return result.data;
  const wrong = result.error?.issues.filter(({ path }) => given[String(path[0])] !== '') ?? [];
  const all = [...problems, ...wrong.map((issue) => `${issue.path.join('.')}: ${issue.message}`)];
  throw new Error(
    `The detector's configuration has ${all.length} problem(s):\n${all.map((problem) => `  ${problem}`).join('\n')}`,
  );
}

const textOf = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** Every variable with its default and what it means, for --help. */
export function describeConfig(): string {
  return Object.entries(configSchema.shape)
    .map(([name, schema]) => {
      const fallback = schema.safeParse(undefined);
      let shown = ' (required)';
      if (fallback.success) shown = fallback.data === '' ? '' : ` [${textOf(fallback.data)}]`;
      return `  ${name}${shown}\n      ${schema.description}`;
    })
    .join('\n');
}
