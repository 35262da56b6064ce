import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, Session, startInstallation, type Running } from '../../e2e/installation.ts';
import type { BenchContext } from '../bench.ts';

/** A ledger to read: the home of an installation that `npm run load -- --rows` has filled. */
export interface PreparedLedger {
  home: string;
  title: string;
}

/** Writes a ledger that nobody has prepared. Takes a quarter of an hour for a hundred million rows. */
export async function writeLedger(context: BenchContext, rows: number): Promise<PreparedLedger> {
  const home = context.temporaryDirectory();
  context.log(`P8: writing a ledger of ${rows} rows; --ledger takes one that is there`);
  const child = spawn('npm', ['run', 'load', '--', '--rows', String(rows), '--lanes', '2000', '--days', '90'], {
    cwd: ROOT,
    env: { ...process.env, LANEWATCH_HOME: home },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  context.atEnd(async () => void child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`npm run load ended with ${code}`);
  return { home, title: `${rows / 1e6} M rows` };
}

/** An installation over a prepared ledger, and a reader's session. */
export interface OpenedLedger extends Running {
  session: Session;
  cookie: string;
  engine: { url: string; user: string; password: string };
}

/** Starts the whole system over it, on free ports. */
export async function openLedger(context: BenchContext, { home }: PreparedLedger): Promise<OpenedLedger> {
  const running = await startInstallation(home);
  context.atEnd(() => running.stop());
  const session = await Session.open(running.ready);
  const password = readFileSync(join(home, 'secrets', 'clickhouse-password'), 'utf8').trim();
  return {
    ...running,
    session,
    cookie: `${session.cookie.name}=${session.cookie.value}`,
    engine: { url: running.ready.clickhouse.url, user: 'default', password },
  };
}
