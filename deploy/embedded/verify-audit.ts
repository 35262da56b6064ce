import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromCaller } from './caller.ts';
import { readStartConfig } from './config.ts';
import { runningInstance } from './home.ts';
import { ROOT } from './supervisor.ts';

/** `npm run verify-audit -- [RECEIPT …]`: checks the audit trail beside query-api, with its own connection. */
const config = readStartConfig(process.env, ROOT);
if (config.databaseUrl.startsWith('pglite:') && runningInstance(config.home) !== null) {
  console.error(
    `The embedded database belongs to one process at a time, and Lanewatch runs with ${config.home}: stop it and try again, or open /audit on its dashboard, which makes the same check.`,
  );
  process.exitCode = 2;
} else if (config.databaseUrl.startsWith('pglite:') && !existsSync(config.databaseUrl.slice('pglite:'.length))) {
  // Opening it would make it.
  console.error(`There is no registry in ${config.home}: LANEWATCH_HOME names the data directory of an installation.`);
  process.exitCode = 2;
} else {
  const program = join(ROOT, 'query-api/src/audit/verify-audit.ts');
  const receipts = process.argv.slice(2).map((path) => fromCaller(path));
  const env = { ...process.env, DATABASE_URL: config.databaseUrl };
  process.exitCode = spawnSync(process.execPath, [program, ...receipts], { stdio: 'inherit', env }).status ?? 2;
}
