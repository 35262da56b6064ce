import { startEmbeddedClickHouse } from '../embedded/clickhouse/spawn.ts';
import { makeTempDir, removeDir } from './helpers.ts';
import { existing } from './part.ts';
import type { Part } from './part.ts';

/** A ClickHouse that test files share; each makes databases of its own. */
export interface ClickHouseServer {
  url: string;
  user: string;
  password: string;
}

/** Where tests have ClickHouse from, for the report of the run. Those of the embedded engine itself always use that. */
export function clickhouseOrigin(): string {
  return process.env.CLICKHOUSE_URL ? 'from CLICKHOUSE_URL and the embedded engine' : 'the embedded engine';
}

/** The server that CLICKHOUSE_URL names (with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD), else one embedded engine for the whole run. */
export async function clickhousePart(): Promise<Part<ClickHouseServer>> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password } = process.env;
  if (url) return existing({ url, user: user || 'default', password: password ?? '' }, clickhouseOrigin());
  const path = await makeTempDir();
  try {
    const engine = await startEmbeddedClickHouse({ path });
    return {
      address: { url: engine.url, user: engine.user, password: engine.password },
      origin: clickhouseOrigin(),
      stop: async () => {
        await engine.stop();
        await removeDir(path);
      },
    };
  } catch (error) {
    await removeDir(path);
    throw error;
  }
}
