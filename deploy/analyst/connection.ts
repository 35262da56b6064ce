import type { SqlConnection } from '@lanewatch/query-api/contract';
import { SQL_PASSWORD_VARIABLE } from '@lanewatch/query-api/contract';

/** Where tools find the engine, and the password of the user that may only read. */
export type AnalystConnection = SqlConnection & { password: string };

/** The same as environment variables, which scripts, profiles and notebooks here read. */
export function environmentOf({ url, user, database, password }: AnalystConnection): Record<string, string> {
  const { hostname, port, protocol } = new URL(url);
  const isSecure = protocol === 'https:';
  return {
    LANEWATCH_CLICKHOUSE_URL: url.replace(/\/$/, ''),
    LANEWATCH_CLICKHOUSE_HOST: hostname,
    LANEWATCH_CLICKHOUSE_PORT: port === '' ? (isSecure ? '443' : '80') : port,
    LANEWATCH_CLICKHOUSE_SECURE: String(isSecure),
    LANEWATCH_CLICKHOUSE_USER: user,
    LANEWATCH_CLICKHOUSE_DATABASE: database,
    [SQL_PASSWORD_VARIABLE]: password,
  };
}
