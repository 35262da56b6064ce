import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { FREE_PORTS, npmStart, processesOf, startInstallation, type Started } from '../e2e/installation.ts';
import { freePort } from '../kafka/start-kafka.ts';
import { tempDir, until } from '../testing/helpers.ts';

/** The longest any service may take to stop, with room for a busy machine; a first start may take 90 s. */
const STOPPED_MS = 40_000;
/** Two signals further apart than this are two. */
const SAME_SIGNAL_MS = 1_200;
/** In this time whoever watches npm has looked three times whether it is still there. */
const THREE_LOOKS_MS = 3_500;

it('Ctrl-C while services wait for a broker that is away stops everything without waiting for them', async () => {
  const { home, started, supervisor } = await startWithoutBroker();
  const askedAt = performance.now();
  process.kill(supervisor, 'SIGINT');
  expect(await started.ended, started.output()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(STOPPED_MS);
  expect(started.output()).toContain('Stopped.');
  expect(await processesOf(home)).toEqual([]);
}, 150_000);

it('a second Ctrl-C ends every process at once, however long one of them takes to stop', async () => {
  const { home, started, supervisor, engine } = await startWithoutBroker();
  process.kill(engine, 'SIGSTOP');
  process.kill(supervisor, 'SIGINT');
  await delay(SAME_SIGNAL_MS);
  process.kill(supervisor, 'SIGINT');
  expect(await started.ended, started.output()).toBe(130);
  await until(async () => (await processesOf(home)).length === 0, 5_000, 'the end of every process');
}, 150_000);

it.each(['SIGTERM', 'SIGKILL'] as const)(
  '%s to npm stops everything in order, as one Ctrl-C does',
  async (signal) => {
    const { home, started, engine } = await startWithoutBroker();
    process.kill(engine, 'SIGSTOP');
    started.process.kill(signal);
    await until(() => started.output().includes('Stopping'), 10_000, `the stop; so far:\n${started.output()}`);
    await delay(THREE_LOOKS_MS);
    process.kill(engine, 'SIGCONT');
    await started.ended;
    expect(started.output()).toContain('Stopped.');
    expect(await processesOf(home)).toEqual([]);
  },
  150_000,
);

it('a start that is refused leaves the ready file of the running instance alone', async () => {
  const home = join(await tempDir(), 'home');
  mkdirSync(home);
  const began = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;
  writeFileSync(join(home, 'instance.json'), JSON.stringify({ pid: process.ppid, began, dashboard_url: '' }));
  const readyFile = join(home, '..', 'ready.json');
  writeFileSync(readyFile, 'of the running instance');
  const started = npmStart(home, ['--ready-file', readyFile]);
  expect(await started.ended).toBe(1);
  expect(started.output()).toContain('Lanewatch already runs with the data directory');
  expect(readFileSync(readyFile, 'utf8')).toBe('of the running instance');
}, 60_000);

it('logs that cannot be written, as on a full disk, end no service and keep none from starting again', async () => {
  const home = join(await tempDir(), 'home');
  mkdirSync(join(home, 'logs'), { recursive: true });
  for (const service of ['clickhouse', 'ingest', 'detector', 'query-api', 'dashboard'])
    symlinkSync('/dev/full', join(home, 'logs', `${service}.log`));
  const running = await startInstallation(home);
  try {
    const ingest = (await processesOf(home)).find((process) => commandOf(process).includes('/ingest/src/main.ts'));
    process.kill(ingest!, 'SIGKILL');
    await until(() => running.output().includes('ingest is back'), 30_000, `ingest; so far:\n${running.output()}`);
    const answer = await fetch(`${running.ready.ingest_url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${running.ready.collector_key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ source: 's', id: '1', time: new Date().toISOString() }),
    });
    expect(answer.status).toBe(200);
    expect(running.output().match(/ ended (by|with) /g)).toEqual([' ended by ']);
  } finally {
    expect(await running.stop(), running.output()).toBe(0);
  }
}, 240_000);

it('a data directory that is moved away stops everything, with a word why', async () => {
  const home = join(await tempDir(), 'home');
  const running = await startInstallation(home);
  renameSync(home, `${home}-moved`);
  expect(await running.ended).toBe(1);
  expect(running.output()).toContain(`The data directory ${home} was moved or removed while Lanewatch ran`);
  expect(await processesOf(home)).toEqual([]);
}, 240_000);

/**
 * An installation whose services wait for a broker that is away, which is as far as it comes. `engine` handles SIGTERM by now, so
 * that it does not end while it is frozen.
 */
async function startWithoutBroker(): Promise<{ home: string; started: Started; supervisor: number; engine: number }> {
  const home = join(await tempDir(), 'home');
  const started = npmStart(home, [], { ...FREE_PORTS, BUS_URL: `kafka://127.0.0.1:${await freePort()}` });
  onTestFinished(async () => {
    for (const pid of await processesOf(home)) process.kill(pid, 'SIGKILL');
  });
  await until(() => started.output().includes('✓ ClickHouse'), 60_000, `the first stage; so far:\n${started.output()}`);
  const { pid } = JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')) as { pid: number };
  const engine = (await processesOf(home)).find((process) => commandOf(process).includes('/clickhouse/main.ts'));
  return { home, started, supervisor: pid, engine: engine! };
}

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
