import { join } from 'node:path';
import type { ServiceSpec } from './child.ts';
import { urlOf, type StartConfig } from './config.ts';
import type { Secrets } from './home.ts';

/**
 * The processes in the order in which they start; those of one stage start together. A stage needs the ones before it.
 * @param config with every port settled
 */
export function serviceStages(config: StartConfig, secrets: Secrets, root: string): ServiceSpec[][] {
  const server = config.clickhouseServer;
  const clickhouse = {
    CLICKHOUSE_URL: server?.url ?? urlOf(config.clickhouse!),
    CLICKHOUSE_USER: server?.user ?? 'default',
    CLICKHOUSE_PASSWORD: server?.password ?? secrets.clickhousePassword,
    CLICKHOUSE_DATABASE: config.clickhouseDatabase,
  };
  const common = { LANEWATCH_HOME: config.home, BUS_URL: config.busUrl };
  const service = (name: string, url: string, env: ServiceSpec['env']): ServiceSpec => ({
    name,
    entry: join(root, name, 'src', 'main.ts'),
    env: { ...common, ...env },
    readyUrl: `${url}/readyz`,
    aliveUrl: `${url}/healthz`,
  });

  const services = [
    service('detector', urlOf(config.detector), {
      ...clickhouse,
      DETECTOR_HOST: config.detector.host,
      DETECTOR_PORT: String(config.detector.port),
      // A power cut must not take a batch out of the middle of the ledger; a server has its own replicas for that.
      ...(server ? {} : { LEDGER_FSYNC: 'true' }),
    }),
    service('query-api', urlOf(config.queryApi), {
      ...clickhouse,
      QUERY_API_HOST: config.queryApi.host,
      QUERY_API_PORT: String(config.queryApi.port),
      // On a server the operator makes the user and names its password.
      ...(server ? {} : { CLICKHOUSE_ANALYST_PASSWORD: secrets.clickhouseAnalystPassword }),
      DASHBOARD_URL: config.dashboardUrl,
      DATABASE_URL: config.databaseUrl,
      CONTROL_TOKEN_FILE: secrets.controlTokenFile,
      // Replicas share one; a deployment of its own names it.
      AUTH_SECRET_FILE: process.env['AUTH_SECRET_FILE'] ?? secrets.authSecretFile,
    }),
    service('ingest', urlOf(config.ingest), {
      INGEST_HOST: config.ingest.host,
      INGEST_PORT: String(config.ingest.port),
      INGEST_GRPC_PORT: config.ingestGrpcPort,
    }),
  ];
  const dashboard = service('dashboard', urlOf(config.dashboard), {
    DASHBOARD_HOST: config.dashboard.host,
    DASHBOARD_PORT: String(config.dashboard.port),
    QUERY_API_URL: urlOf(config.queryApi),
    INGEST_URL: config.ingestUrl,
    // Its HTTP server refuses to start with a variable of its prefix that it does not know.
    DASHBOARD_URL: undefined,
  });
  return [...(config.clickhouse ? [[engine(config, secrets)]] : []), services, [dashboard]];
}

function engine(config: StartConfig, secrets: Secrets): ServiceSpec {
  const endpoint = config.clickhouse!;
  return {
    name: 'clickhouse',
    entry: join(import.meta.dirname, 'clickhouse', 'main.ts'),
    args: ['--follow-stdin'],
    endsWithStdin: true,
    env: {
      CLICKHOUSE_HOST: endpoint.host,
      CLICKHOUSE_PORT: String(endpoint.port),
      CLICKHOUSE_PATH: join(config.home, 'clickhouse'),
      CLICKHOUSE_DATABASE: config.clickhouseDatabase,
      CLICKHOUSE_PASSWORD: secrets.clickhousePassword,
      CLICKHOUSE_ANALYST_PASSWORD: secrets.clickhouseAnalystPassword,
    },
    readyUrl: `${urlOf(endpoint)}/ping`,
    aliveUrl: `${urlOf(endpoint)}/ping`,
  };
}
