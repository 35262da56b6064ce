import { configSchema as dashboardSchema } from '../../dashboard/src/config.ts';
import { describeConfig as describeDetector, loadConfig as loadDetector } from '../../detector/src/config.ts';
import { describeConfig as describeIngest, loadConfig as loadIngest } from '../../ingest/src/config.ts';
import { configHelp as describeQueryApi, loadConfig as loadQueryApi } from '../../query-api/src/config.ts';

export type ServiceName = 'ingest' | 'detector' | 'query-api' | 'dashboard';
export const SERVICES: ServiceName[] = ['ingest', 'detector', 'query-api', 'dashboard'];

/** Of the server that the dashboard's pages run in, with its prefix; not in our schema. */
const HTTP_SERVER = ['DASHBOARD_ORIGIN', 'DASHBOARD_ADDRESS_HEADER'];
/** Read by the images themselves. */
const IMAGE = ['HEALTH_URL', 'LANEWATCH_HOME'];

/** Names at the beginning of a line of a help text. */
const namesIn = (help: string) => [...help.matchAll(/^ {2}([A-Z][A-Z0-9_]+)\b/gm)].map(([, name]) => name!);

const NAMES: Record<ServiceName, string[]> = {
  ingest: namesIn(describeIngest()),
  detector: namesIn(describeDetector()),
  'query-api': namesIn(describeQueryApi()),
  dashboard: [...Object.keys(dashboardSchema.shape), ...HTTP_SERVER],
};

/** Settings among these that the service does not have, `NAME_FILE` counted as NAME. */
export function unknownSettings(service: ServiceName, names: string[]): string[] {
  const known = new Set([...NAMES[service], ...IMAGE]);
  return names.filter((name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')));
}

const LOAD: Record<ServiceName, (environment: Record<string, string>) => unknown> = {
  ingest: loadIngest,
  detector: loadDetector,
  'query-api': loadQueryApi,
  dashboard: (environment) => dashboardSchema.parse(environment),
};

/** Reads a service's configuration as that service does; throws what it would refuse. */
export function loadSettings(service: ServiceName, environment: Record<string, string>): unknown {
  return LOAD[service](environment);
}
