import { resolve } from 'node:path';
import { z } from 'zod';
import { fromCaller } from './caller.ts';
import { StartProblem } from './problem.ts';

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);
const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .transform((text) => text.replace(/\/+$/, ''))
  .optional();
const host = z.string().min(1).default('127.0.0.1');

/** The services' own names, so that a setting means the same whether a service is started here or alone. */
const configSchema = z
  .object({
    LANEWATCH_HOME: z.string().min(1).optional(),
    DASHBOARD_HOST: host,
    DASHBOARD_PORT: port(4600),
    QUERY_API_HOST: host,
    QUERY_API_PORT: port(4610),
    INGEST_HOST: host,
    INGEST_PORT: port(4618),
    // As ingest itself reads it.
    INGEST_GRPC_PORT: z.union([z.literal('off'), z.coerce.number().int().min(0).max(65_535)]).optional(),
    DETECTOR_PORT: port(4614),
    DASHBOARD_URL: publicUrl,
    INGEST_URL: publicUrl,
    CLICKHOUSE_PORT: port(4623),
    BUS_URL: z
      .string()
      .regex(/^(kafka:\/\/.|lmdb:\/)/, 'must be kafka://host:port or lmdb:/directory')
      .optional(),
    CLICKHOUSE_URL: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
    CLICKHOUSE_USER: z.string().min(1).default('default'),
    CLICKHOUSE_PASSWORD: z.string().default(''),
    CLICKHOUSE_DATABASE: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, 'must be a plain identifier')
      .default('lanewatch'),
    CLICKHOUSE_ANALYST_USER: z.string().min(1).optional(),
    CLICKHOUSE_ANALYST_PASSWORD: z.string().optional(),
    DATABASE_URL: z
      .string()
      .regex(/^(postgres(ql)?:\/\/.+|pglite:.+)$/, 'must be postgres://… or pglite:/directory')
      .optional(),
  })
  .refine((config) => config.CLICKHOUSE_URL !== undefined || config.CLICKHOUSE_USER === 'default', {
    path: ['CLICKHOUSE_USER'],
    message: 'belongs to a server named by CLICKHOUSE_URL, which is not set',
  });

/** Name of every variable that {@link readStartConfig} reads. */
export const START_SETTINGS = Object.keys(configSchema.shape);

export interface Endpoint {
  host: string;
  /** 0: any free one. */
  port: number;
  /** The environment variable that changes the port. */
  variable: string;
}

export interface StartConfig {
  /** Absolute directory of data, secrets and logs. */
  home: string;
  dashboard: Endpoint;
  queryApi: Endpoint;
  ingest: Endpoint;
  /** Port of OTLP over gRPC, or `off`; undefined leaves it to ingest. */
  ingestGrpcPort: string | undefined;
  detector: Endpoint;
  /** Under which address people reach the dashboard and collectors reach ingest; '' until the ports are settled. */
  dashboardUrl: string;
  ingestUrl: string;
  /** null: a server is used, so no engine is started. */
  clickhouse: Endpoint | null;
  clickhouseServer: {
    url: string;
    user: string;
    password: string;
    analystUser: string;
    analystPassword: string;
  } | null;
  clickhouseDatabase: string;
  busUrl: string;
  databaseUrl: string;
}

/**
 * Reads the environment; the only place of the supervisor that does.
 * @param environment usually process.env; an empty variable counts as unset
 * @param root the repository, below which data lives when nothing else is said
 * @param subdirectory folder inside the home for data that must stay apart (the demo's)
 * @throws StartProblem naming every problem at once
 */
export function readStartConfig(
  environment: Record<string, string | undefined>,
  root: string,
  subdirectory = '',
): StartConfig {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = configSchema.safeParse(set);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    throw new StartProblem(`Lanewatch can't start with this environment: ${problems.join('; ')}.`);
  }
  const env = parsed.data;
  const base = env.LANEWATCH_HOME === undefined ? resolve(root, '.lanewatch') : fromCaller(env.LANEWATCH_HOME, set);
  const home = resolve(base, subdirectory);
  return {
    home,
    dashboard: { host: env.DASHBOARD_HOST, port: env.DASHBOARD_PORT, variable: 'DASHBOARD_PORT' },
    queryApi: { host: env.QUERY_API_HOST, port: env.QUERY_API_PORT, variable: 'QUERY_API_PORT' },
    ingest: { host: env.INGEST_HOST, port: env.INGEST_PORT, variable: 'INGEST_PORT' },
    ingestGrpcPort: env.INGEST_GRPC_PORT?.toString(),
    detector: { host: '127.0.0.1', port: env.DETECTOR_PORT, variable: 'DETECTOR_PORT' },
    dashboardUrl: env.DASHBOARD_URL ?? '',
    ingestUrl: env.INGEST_URL ?? '',
    clickhouse: env.CLICKHOUSE_URL
      ? null
      : { host: '127.0.0.1', port: env.CLICKHOUSE_PORT, variable: 'CLICKHOUSE_PORT' },
    clickhouseServer: env.CLICKHOUSE_URL
      ? {
          url: env.CLICKHOUSE_URL,
          user: env.CLICKHOUSE_USER,
          password: env.CLICKHOUSE_PASSWORD,
          analystUser: env.CLICKHOUSE_ANALYST_USER ?? env.CLICKHOUSE_USER,
          analystPassword: env.CLICKHOUSE_ANALYST_PASSWORD ?? env.CLICKHOUSE_PASSWORD,
        }
      : null,
    clickhouseDatabase: env.CLICKHOUSE_DATABASE,
    busUrl: env.BUS_URL ?? `lmdb:${home}/bus`,
    databaseUrl: env.DATABASE_URL ?? `pglite:${home}/registry`,
  };
}

/** The configuration with the ports that were settled; public addresses that nobody named follow from them. */
export function withEndpoints(
  config: StartConfig,
  endpoints: Pick<StartConfig, 'dashboard' | 'queryApi' | 'ingest' | 'detector' | 'clickhouse'>,
): StartConfig {
  return {
    ...config,
    ...endpoints,
    dashboardUrl: config.dashboardUrl || urlOf(endpoints.dashboard),
    ingestUrl: config.ingestUrl || urlOf(endpoints.ingest),
  };
}

/** The address under which this machine reaches an endpoint: one that listens everywhere is reached on loopback. */
export function urlOf(endpoint: Endpoint): string {
  const everywhere = endpoint.host === '0.0.0.0' || endpoint.host === '::';
  const name = everywhere ? '127.0.0.1' : endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `http://${name}:${endpoint.port}`;
}
