/**
 * Starts the built dashboard. The server that the adapter generates listens on 0.0.0.0:3000 unless told otherwise; this
 * entry validates the configuration and gives it our defaults first. `--check-config` only validates.
 */
import { readConfig } from './config.ts';

try {
  const config = readConfig(process.env);
  process.env['DASHBOARD_HOST'] = config.DASHBOARD_HOST;
  process.env['DASHBOARD_PORT'] = String(config.DASHBOARD_PORT);
  process.env['DASHBOARD_SHUTDOWN_TIMEOUT'] = String(config.DASHBOARD_SHUTDOWN_TIMEOUT);
  // An import of keys is one form of at most 2 MB of lines; the adapter would take 512 kB.
  process.env['DASHBOARD_BODY_SIZE_LIMIT'] = '5M';
  // query-api's name for our public address, often in the same environment. The adapter refuses to start beside a variable
  // with its prefix that it does not know.
  delete process.env['DASHBOARD_URL'];
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

if (process.argv.includes('--check-config')) {
  console.log('The configuration is valid.');
} else {
  await import(new URL('../build/index.js', import.meta.url).href);
}
