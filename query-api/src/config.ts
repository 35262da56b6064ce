import { readFileSync, statSync } from 'node:fs';
import { CONSUMER_GROUP_DEFAULT } from '@lanewatch/detector/contract';
import { busRetentionSetting, busUrlSetting, topicPrefixSetting, withSecretFiles } from '@lanewatch/ingest/contract';
import { z } from 'zod';
import { MODULES_DEFAULT, ROLES } from '../contract/index.ts';
import type { Module, Role } from '../contract/index.ts';
import type { ImportSettings } from './imports/imports.ts';
import { adminKeysIn, importSettings, importsOf } from './imports/settings.ts';

const SECONDS_PER_HOUR = 3600;

const databaseUrl = z
  .string()
  .regex(
    /^(postgres(ql)?:\/\/.+|pglite:.+)$/,
    'must be postgres://user:password@host:port/database or pglite:/directory',
  );

const modulesSetting = z
  .string()
  .default('')
  .transform((text, context): Module[] => {
    if (text === '') return [...MODULES_DEFAULT];
    const modules = text.split(';').map((entry) => {
      const [id = '', label = ''] = entry.split('=').map((part) => part.trim());
      return { id, label };
    });
    const isUsable = modules.every(({ id, label }) => /^[a-z][a-z0-9_]{0,99}$/.test(id) && label !== '');
    if (isUsable && new Set(modules.map(({ id }) => id)).size === modules.length) return modules;
    context.addIssue({
      code: 'custom',
      message: 'must be id=Label parted by semicolons, ids of lower-case letters, digits and _, each once',
    });
    return z.NEVER;
  });

/** What query-api reads from its environment. The only place that does. */
const configSchema = z.object({
  QUERY_API_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  QUERY_API_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(4610)
    .describe('Port to listen on; 0 picks a free one'),
  DATABASE_URL: databaseUrl.describe('Registry: postgres://… for a server, pglite:/directory embedded'),
  BUS_URL: busUrlSetting.describe('Message bus: kafka://host:port,… or lmdb:/directory'),
  TOPIC_PREFIX: topicPrefixSetting.describe('Put before every topic name'),
  BUS_RETENTION_HOURS: busRetentionSetting,
  CONSUMER_GROUP: z
    .string()
    .min(1)
    .default(CONSUMER_GROUP_DEFAULT)
    .describe('Consumer group of the detectors: tells which accepted events are still on the bus'),
  SMTP_URL_FILE: z
    .string()
    .optional()
    .describe('File with the address of an SMTP server, smtp://user:password@host:587: channels by e-mail need it'),
  MAIL_FROM: z.string().min(3).default('Lanewatch <lanewatch@localhost>').describe('Sender of mails'),
  NOTIFY_PRIVATE_ADDRESSES: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe(
      'Whether webhooks may go to private addresses; with refuse every address is checked as it is connected to',
    ),
  CLICKHOUSE_URL: z.url().describe('HTTP interface of ClickHouse'),
  CLICKHOUSE_USER: z
    .string()
    .default('default')
    .describe('Only reads. Limits are sent with each query, which a profile with readonly = 1 refuses; 2 is right'),
  CLICKHOUSE_PASSWORD: z.string().default(''),
  CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a plain identifier')
    .default('lanewatch'),
  CLICKHOUSE_ANALYST_USER: z
    .string()
    .min(1)
    .default('analyst')
    .describe('Runs what people write in SQL: a user that may only read the published views, with readonly = 2'),
  CLICKHOUSE_ANALYST_PASSWORD: z.string().default('').describe('Its password; without one there is no SQL desk'),
  DASHBOARD_URL: z.url().default('http://127.0.0.1:4600').describe('Where sign-in links point'),
  CONTROL_TOKEN_FILE: z
    .string()
    .default('')
    .describe('File (mode 0600) with the bearer token of /internal/*; without it those routes do not exist'),
  AUTH_SECRET_FILE: z
    .string()
    .min(1)
    .describe(
      'File (mode 0600) with the secret that signs sessions and encrypts TOTP secrets; the same for every replica',
    ),
  TRUSTED_PROXIES: z
    .string()
    .min(1)
    .default('loopback')
    .describe(
      'Addresses and networks whose X-Forwarded-For is believed, such as the dashboard’s: sign-in attempts count by it',
    ),
  OIDC_ISSUER: z.url().optional().describe('Sign-in by this OpenID provider, too'),
  OIDC_CLIENT_ID: z.string().min(1).optional(),
  OIDC_CLIENT_SECRET_FILE: z.string().min(1).optional().describe('File (mode 0600) with the client’s secret'),
  OIDC_NAME: z.string().min(1).max(40).default('single sign-on').describe('What the button says: Sign in with …'),
  OIDC_ROLE: z
    .enum([...ROLES, 'none'])
    .exclude(['admin'])
    .default('none')
    .describe('Role of whom the provider knows and nobody invited; none: only invited people come in'),
  MODULES: modulesSetting.describe('Parts of the product that keys are for: id=Label, parted by semicolons'),
  KEYS_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe('Active keys that the plan includes; more are made all the same, with a warning'),
  ...importSettings,
  SESSION_TTL_HOURS: z.coerce
    .number()
    .min(0.1)
    .max(168)
    .default(12)
    .describe('A session ends after this long without use'),
  SESSION_MAX_HOURS: z.coerce
    .number()
    .min(0.1)
    .max(8760)
    .default(168)
    .describe('A session ends after this long in any case'),
  SECURE_COOKIES: z.stringbool().default(false).describe('true when people reach the dashboard over https'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** What may lie in a file that NAME_FILE names, besides what is a file in any case. */
const SECRETS = ['DATABASE_URL', 'BUS_URL', 'CLICKHOUSE_PASSWORD', 'CLICKHOUSE_ANALYST_PASSWORD'];

export interface Config {
  host: string;
  port: number;
  databaseUrl: string;
  busUrl: string;
  topicPrefix: string;
  /** Of topics that are made here, in milliseconds; undefined leaves it to the bus. */
  busRetentionMs: number | undefined;
  consumerGroup: string;
  clickhouse: { url: string; user: string; password: string; database: string };
  /** null: no SQL desk. */
  analyst: { url: string; user: string; password: string; database: string } | null;
  dashboardUrl: string;
  /** null: the control routes are off. */
  controlToken: string | null;
  authSecret: string;
  /** How findings are told to people: by which SMTP server, and whether webhooks may go to private addresses. */
  notify: { smtpUrl: string | null; mailFrom: string; allowPrivate: boolean };
  trustedProxies: string;
  /** null: no OpenID provider. `role` null: only invited people come in by it. */
  oidc: { issuer: string; clientId: string; clientSecret: string; name: string; role: Role | null } | null;
  modules: readonly Module[];
  /** null: the plan has no limit. */
  keysMax: number | null;
  /** Imports from providers’ admin interfaces. */
  imports: ImportSettings;
  sessionIdleSeconds: number;
  sessionMaxSeconds: number;
  secureCookies: boolean;
  logLevel: string;
}

/** A configuration that can't be used; `message` lists every problem, one per line, and no values. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`Configuration of query-api:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads the configuration from environment variables; an empty variable counts as unset.
 * @throws {ConfigError} naming all problems at once
 */
export function loadConfig(environment: Record<string, string | undefined>): Config {
  const { given: set, problems: unread } = withSecretFiles(environment, SECRETS);
  const parsed = configSchema.safeParse(set);
  const wrong = parsed.error?.issues.filter(({ path }) => set[String(path[0])] !== '') ?? [];
  const problems = [...unread, ...wrong.map((issue) => `${issue.path.join('.')}: ${issue.message}`)];
  const secretIn = (name: string, charsMin: number): string | null => {
    const file = set[name] ?? '';
    if (file === '') return null;
    try {
      return readSecretFile(file, charsMin);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
  const controlToken = secretIn('CONTROL_TOKEN_FILE', SECRET_CHARS_MIN);
  const authSecret = secretIn('AUTH_SECRET_FILE', SECRET_CHARS_MIN);
  const smtpUrl = secretIn('SMTP_URL_FILE', 1);
  if (smtpUrl !== null && !/^smtps?:\/\//.test(smtpUrl))
    problems.push('SMTP_URL_FILE: must hold smtp://… or smtps://…');
  const adminKeys = adminKeysIn(secretIn);
  const clientSecret = secretIn('OIDC_CLIENT_SECRET_FILE', 1);
  const oidcNames = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET_FILE'];
  const missing = oidcNames.filter((name) => set[name] === undefined);
  if (missing.length > 0 && missing.length < oidcNames.length) {
    for (const name of missing)
      problems.push(`${name}: is needed with ${oidcNames.find((one) => !missing.includes(one))}`);
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const env = parsed.data;
  return {
    host: env.QUERY_API_HOST,
    port: env.QUERY_API_PORT,
    databaseUrl: env.DATABASE_URL,
    busUrl: env.BUS_URL,
    topicPrefix: env.TOPIC_PREFIX,
    busRetentionMs: env.BUS_RETENTION_HOURS,
    consumerGroup: env.CONSUMER_GROUP,
    clickhouse: {
      url: env.CLICKHOUSE_URL,
      user: env.CLICKHOUSE_USER,
      password: env.CLICKHOUSE_PASSWORD,
      database: env.CLICKHOUSE_DATABASE,
    },
    analyst:
      env.CLICKHOUSE_ANALYST_PASSWORD === ''
        ? null
        : {
            url: env.CLICKHOUSE_URL,
            user: env.CLICKHOUSE_ANALYST_USER,
            password: env.CLICKHOUSE_ANALYST_PASSWORD,
            database: env.CLICKHOUSE_DATABASE,
          },
    dashboardUrl: env.DASHBOARD_URL,
    controlToken,
    authSecret: authSecret!,
    notify: { smtpUrl, mailFrom: env.MAIL_FROM, allowPrivate: env.NOTIFY_PRIVATE_ADDRESSES === 'allow' },
    trustedProxies: env.TRUSTED_PROXIES,
    oidc:
      env.OIDC_ISSUER === undefined
        ? null
        : {
            issuer: env.OIDC_ISSUER,
            clientId: env.OIDC_CLIENT_ID!,
            clientSecret: clientSecret!,
            name: env.OIDC_NAME,
            role: env.OIDC_ROLE === 'none' ? null : env.OIDC_ROLE,
          },
    modules: env.MODULES,
    keysMax: env.KEYS_MAX ?? null,
    imports: importsOf(env, adminKeys),
    sessionIdleSeconds: env.SESSION_TTL_HOURS * SECONDS_PER_HOUR,
    sessionMaxSeconds: env.SESSION_MAX_HOURS * SECONDS_PER_HOUR,
    secureCookies: env.SECURE_COOKIES,
    logLevel: env.LOG_LEVEL,
  };
}

/** A short secret could be guessed; 32 characters is what 128 random bits take in hex. */
const SECRET_CHARS_MIN = 32;

function readSecretFile(path: string, charsMin: number): string {
  const mode = statSync(path).mode & 0o777;
  // A group may read it: that is how Kubernetes hands a secret to a process that is not root.
  if ((mode & 0o037) !== 0)
    throw new Error(`must be readable by its owner and group only (mode 0600 or 0440, is 0${mode.toString(8)})`);
  const secret = readFileSync(path, 'utf8').trim();
  if (secret.length < charsMin) throw new Error(`must hold at least ${charsMin} characters`);
  return secret;
}

/** The text of `--help`. */
export function configHelp(): string {
  const lines = Object.entries(configSchema.shape).map(([name, schema]) => {
    const { description } = schema as { description?: string };
    return `  ${name.padEnd(24)} ${description ?? ''}`.trimEnd();
  });
  return [
    'Usage: node query-api/src/main.ts [--check-config] [--help]',
    '',
    'Serves reads over the ledger and owns the registry. Configured by environment variables:',
    ...lines,
  ].join('\n');
}
