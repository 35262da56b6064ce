import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { newSignInUrl } from '../../embedded/control.ts';
import { StartProblem } from '../../embedded/problem.ts';
import { startInstallation } from '../../embedded/supervisor.ts';
import { openTerminal } from '../../embedded/terminal.ts';
import { signIn } from '../register.ts';
import { fillLedger, type LedgerShape } from './fill.ts';
import { generatedLanes } from './lanes.ts';
import { registerLanes } from './register.ts';

/** A day is one statement, and merging what it wrote is not waited for by any time limit. */
const SILENCE_MS_MAX = 3_600_000;

/** `npm run load -- --rows N`: an installation whose ledger has that many rows of the past, written straight into the engine. */
export async function loadLedger(shape: LedgerShape): Promise<void> {
  const terminal = openTerminal();
  const quit = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => quit.abort(new StartProblem('Stopped.')));
  const installation = await startInstallation({
    environment: process.env,
    subdirectory: '',
    // Nothing is shown and nothing is sent meanwhile.
    without: ['dashboard', 'ingest'],
    terminal,
    quit: quit.signal,
    kill: new AbortController().signal,
    onHomeTaken: () => undefined,
  });
  const { config, secrets, urls } = installation;
  const client = createClient({
    url: `http://${config.clickhouse!.host}:${config.clickhouse!.port}`,
    username: 'default',
    password: secrets.clickhousePassword,
    request_timeout: SILENCE_MS_MAX,
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    const database = config.clickhouseDatabase;
    const held = await client.query({ query: `SELECT count() FROM ${database}.ledger`, format: 'JSONCompactEachRow' });
    const [[rows] = [0]] = await held.json<[number]>();
    if (Number(rows) > 0)
      throw new StartProblem(`The ledger in ${config.home} has rows: name an empty directory with LANEWATCH_HOME.`);
    const registrar = await signIn(
      urls.queryApi,
      await newSignInUrl({ queryApiUrl: urls.queryApi, token: secrets.controlToken }),
    );
    const ids = await registerLanes(registrar, generatedLanes(shape.seed, shape.lanes), (done) => {
      quit.signal.throwIfAborted();
      terminal.progress(`  Registering keys ${done} of ${shape.lanes}`);
    });
    terminal.say(`  ${ids.size} keys registered, ${shape.lanes} lanes`);
    const startedAt = performance.now();
    await fillLedger(client, database, shape, ids, (written) => {
      quit.signal.throwIfAborted();
      const seconds = (performance.now() - startedAt) / 1000;
      const left = (seconds / written) * (shape.rows - written);
      terminal.progress(
        `  Writing rows ${written} of ${shape.rows} (${Math.round((100 * written) / shape.rows)} %), ${clockOf(left)} to go`,
      );
    });
    terminal.say(`  ${shape.rows} rows written in ${clockOf((performance.now() - startedAt) / 1000)}`);
    terminal.say(`  Look at them: LANEWATCH_HOME=${config.home} npm start`);
  } finally {
    await client.close();
    await installation.stop();
  }
}

function clockOf(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}
