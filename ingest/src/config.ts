import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { PROXY_REFUSALS, type ProxyRefusal } from '../contract/proxy-policy.ts';
import { parseProviders, type ProxyProvider, PROVIDERS_DEFAULT } from './proxy/providers.ts';
import {
  busRetentionSetting,
  busUrlSetting,
  topicPrefixSetting,
  USAGE_PARTITIONS_DEFAULT,
  withSecretFiles,
} from '../contract/index.ts';

const MIB = 1024 * 1024;
/** The port that OpenTelemetry assigns to OTLP/gRPC. */
const GRPC_PORT_DEFAULT = 4317;

const integer = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

/** Accepts `10.0.0.0/8`, `fd00::/8` and bare addresses, separated by commas. Who trusts everybody as a proxy believes every sender. */
const cidrList = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .refine(
    (parts) => parts.every(isCidr),
    'must be IPv4 or IPv6 ranges such as 10.0.0.0/8, separated by commas; no range may hold all addresses',
  );

function isCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

/** Every setting, its meaning, its default. The keys are the names of the environment variables. */
const configSchema = z
  .object({
    INGEST_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
    INGEST_PORT: integer(0, 65_535).default(4618).describe('Port to listen on; 0 takes a free one.'),
    INGEST_GRPC_PORT: z
      .union([z.literal('off'), integer(0, 65_535)], { error: 'must be a whole number from 0 to 65535, or off' })
      .optional()
      .describe(
        'Port for OTLP over gRPC on the same address, `off` for none. Default 4317, unless another program has it already.',
      ),
    BUS_URL: busUrlSetting.describe('lmdb:/absolute/directory or kafka://host:port,host:port.'),
    TOPIC_PREFIX: topicPrefixSetting.describe('Put before every topic name.'),
    USAGE_PARTITIONS: integer(1, 10_000)
      .default(USAGE_PARTITIONS_DEFAULT)
      .describe('Partitions of the usage topic when it has to be created.'),
    BUS_RETENTION_HOURS: busRetentionSetting,
    LANEWATCH_HOME: z.string().min(1).default('./.lanewatch').describe('Where data lives.'),
    SPOOL_DIR: z
      .string()
      .optional()
      .describe(
        'Where events wait on disk while the bus is down; default $LANEWATCH_HOME/ingest-spool, `off` for none.',
      ),
    SPOOL_BYTES_MAX: integer(MIB, 1024 * 1024 * MIB)
      .default(1024 * MIB)
      .describe('When the spool holds nearly this much, senders get 503 with Retry-After.'),
    BODY_BYTES_MAX: integer(1024, 1024 * MIB)
      .default(64 * MIB)
      .describe('Largest request body after decompression.'),
    COMPRESSED_BYTES_MAX: integer(1024, 1024 * MIB)
      .default(16 * MIB)
      .describe('Largest request body as sent when it is compressed.'),
    INFLIGHT_BYTES_MAX: integer(MIB, 64 * 1024 * MIB)
      .default(256 * MIB)
      .describe(
        'What the bodies of all unanswered requests take together, parsed ones too; beyond it senders get 503.',
      ),
    PUBLISH_TIMEOUT_MS: integer(100, 60_000)
      .default(5_000)
      .describe('A bus that does not confirm within this time counts as down. Agents give up after 10 s.'),
    LINGER_MS: integer(0, 5).default(1).describe('How long a lone request waits for others to share its records.'),
    TRUSTED_PROXIES: cidrList.describe('Proxies whose X-Forwarded-For is believed; otherwise the peer address counts.'),
    PROXY_PROVIDERS: z
      .string()
      .default(PROVIDERS_DEFAULT)
      .transform((text, context) => {
        const providers = parseProviders(text);
        if (typeof providers !== 'string') return providers;
        context.addIssue({ code: 'custom', message: providers });
        return z.NEVER;
      })
      .describe(
        'Providers behind the observing proxy at /proxy/<name>: names, or name=address for others, separated by commas; `off` for no proxy.',
      ),
    PROXY_BLOCK: z
      .string()
      .default('')
      .transform((text) =>
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      )
      .pipe(
        z.array(z.enum(PROXY_REFUSALS, { error: `must be some of ${PROXY_REFUSALS.join(', ')}, separated by commas` })),
      )
      .describe(
        `What the proxy refuses with 403 whatever the policy on requests says, some of ${PROXY_REFUSALS.join(', ')}; nothing by default.`,
      ),
    COLLECTOR_COUNTS_INTERVAL_MS: integer(100, 600_000).default(5_000).describe('How often counts are reported.'),
    INSTANCE: z
      .string()
      .regex(/^[\w.:-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, colons, dashes')
      .optional()
      .describe('Name of this process in counts; default host name and a random part.'),
    LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  })
  .refine((config) => config.INFLIGHT_BYTES_MAX >= config.BODY_BYTES_MAX, {
    path: ['INFLIGHT_BYTES_MAX'],
    message: 'must be at least BODY_BYTES_MAX, or the largest allowed body could never be taken',
    // Also beside other problems, as long as both are numbers.
    when: ({ issues }) =>
      !issues.some(({ path }) => path?.[0] === 'INFLIGHT_BYTES_MAX' || path?.[0] === 'BODY_BYTES_MAX'),
  });

/** What may lie in a file that NAME_FILE names. */
const SECRETS = ['BUS_URL'];

export interface Config {
  host: string;
  port: number;
  /** null: no gRPC. */
  grpcPort: number | null;
  /** Whether gRPC may be left out when its port is taken, because nobody asked for this port. */
  grpcIsOptional: boolean;
  busUrl: string;
  topicPrefix: string;
  usagePartitions: number;
  /** Of topics that are made here, in milliseconds; undefined leaves it to the bus. */
  busRetentionMs: number | undefined;
  /** null: no spool; a bus that is down means 503. */
  spoolDir: string | null;
  spoolBytesMax: number;
  bodyBytesMax: number;
  compressedBytesMax: number;
  inflightBytesMax: number;
  publishTimeoutMs: number;
  lingerMs: number;
  trustedProxies: string[];
  /** Empty: no proxy. */
  proxyProviders: ReadonlyMap<string, ProxyProvider>;
  proxyPolicies: ReadonlySet<ProxyRefusal>;
  collectorCountsIntervalMs: number;
  instance: string;
  logLevel: string;
}

/** Thrown by {@link loadConfig}; its message names every problem, one per line. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`ingest cannot start, its configuration has ${problems.length} problem(s):\n${problems.join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads the configuration. The only place of ingest that looks at the environment.
 * @param environment usually process.env
 * @throws ConfigError with all problems at once
 */
export function loadConfig(environment: Record<string, string | undefined>): Config {
  // An empty variable is how a compose file or shell says "not set".
  const { given, problems } = withSecretFiles(environment, SECRETS);
  const parsed = configSchema.safeParse(given);
  const wrong = parsed.error?.issues.filter(({ path }) => given[String(path[0])] !== '') ?? [];
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(
      [...problems, ...wrong.map((issue) => `${issue.path.join('.')}: ${issue.message}`)].map(
        (problem) => `  ${problem}`,
      ),
    );
  }
  const value = parsed.data;
  const spoolDir = value.SPOOL_DIR ?? join(value.LANEWATCH_HOME, 'ingest-spool');
  return {
    host: value.INGEST_HOST,
    port: value.INGEST_PORT,
    grpcPort: value.INGEST_GRPC_PORT === 'off' ? null : (value.INGEST_GRPC_PORT ?? GRPC_PORT_DEFAULT),
    grpcIsOptional: value.INGEST_GRPC_PORT === undefined,
    busUrl: value.BUS_URL,
    topicPrefix: value.TOPIC_PREFIX,
    usagePartitions: value.USAGE_PARTITIONS,
    busRetentionMs: value.BUS_RETENTION_HOURS,
    spoolDir: spoolDir === 'off' ? null : spoolDir,
    spoolBytesMax: value.SPOOL_BYTES_MAX,
    bodyBytesMax: value.BODY_BYTES_MAX,
    compressedBytesMax: value.COMPRESSED_BYTES_MAX,
    inflightBytesMax: value.INFLIGHT_BYTES_MAX,
    publishTimeoutMs: value.PUBLISH_TIMEOUT_MS,
    lingerMs: value.LINGER_MS,
    trustedProxies: value.TRUSTED_PROXIES,
    proxyProviders: value.PROXY_PROVIDERS,
    proxyPolicies: new Set(value.PROXY_BLOCK),
    collectorCountsIntervalMs: value.COLLECTOR_COUNTS_INTERVAL_MS,
    instance: value.INSTANCE ?? `${hostname().slice(0, 60)}:${randomUUID().slice(0, 8)}`,
    logLevel: value.LOG_LEVEL,
  };
}

/** One line per setting for `--help`: name, default, meaning. */
export function describeConfig(): string {
  return Object.entries(configSchema.shape)
    .map(([name, schema]) => {
      const fallback = schema.safeParse(undefined);
      const shown =
        fallback.success && fallback.data !== undefined
          ? ` [${String(fallback.data)}]`
          : name === 'BUS_URL'
            ? ' (required)'
            : '';
      return `  ${name}${shown}\n      ${schema.description ?? ''}`;
    })
    .join('\n');
}
