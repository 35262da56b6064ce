import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { tempDir, until } from '../testing/helpers.ts';
import { startChild, type ChildEvent } from './child.ts';
import { COMMANDS } from '../launcher/commands.mjs';
import { readLock, removeLock, takeLock } from '../launcher/lock-file.mjs';
import { readStartConfig, START_SETTINGS, urlOf } from './config.ts';
import { ensureSecrets, runningInstance, takeHome } from './home.ts';
import { openLogFile } from './log-file.ts';
import { settlePorts } from './ports.ts';
import { openTerminal } from './terminal.ts';

const loopback = (port: number, variable: string) => ({ host: '127.0.0.1', port, variable });

async function taken(): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

describe('the configuration', () => {
  it('is embedded, on loopback and below the repository when nothing is said', () => {
    const config = readStartConfig({}, '/repository');
    expect(config).toMatchObject({
      home: '/repository/.lanewatch',
      busUrl: 'lmdb:/repository/.lanewatch/bus',
      databaseUrl: 'pglite:/repository/.lanewatch/registry',
      clickhouseServer: null,
    });
    expect([config.dashboard, config.queryApi, config.ingest, config.clickhouse!].map(urlOf)).toEqual([
      'http://127.0.0.1:4600',
      'http://127.0.0.1:4610',
      'http://127.0.0.1:4618',
      'http://127.0.0.1:4623',
    ]);
  });

  it('takes servers from the environment and then starts no engine', () => {
    const config = readStartConfig(
      {
        BUS_URL: 'kafka://k:9092',
        CLICKHOUSE_URL: 'http://c:8123',
        CLICKHOUSE_USER: 'u',
        DATABASE_URL: 'postgres://p/db',
      },
      '/repository',
    );
    expect(config).toMatchObject({
      busUrl: 'kafka://k:9092',
      databaseUrl: 'postgres://p/db',
      clickhouse: null,
      clickhouseServer: { url: 'http://c:8123', user: 'u', analystUser: 'u' },
    });
  });

  it('is all in the help text of the commands that read it', () => {
    for (const name of START_SETTINGS) {
      expect(COMMANDS['start']?.help).toContain(name);
      expect(COMMANDS['demo']?.help).toContain(name);
    }
  });

  it('names every problem at once', () => {
    const wrong = { DASHBOARD_PORT: '99999', BUS_URL: 'redis://x', CLICKHOUSE_USER: 'me' };
    expect(() => readStartConfig(wrong, '/repository')).toThrow(/DASHBOARD_PORT.*BUS_URL/);
    expect(() => readStartConfig({ CLICKHOUSE_USER: 'me' }, '/repository')).toThrow(
      /CLICKHOUSE_USER belongs to a server/,
    );
  });
});

describe('the data directory', () => {
  it('is locked by a living instance, told apart from another process with the same id, and free after a crash', async () => {
    const home = join(await tempDir(), 'home');
    const mine = takeHome(home);
    const lock = join(home, 'instance.json');
    const written = JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; began: string };
    expect(written.pid).toBe(process.pid);
    mine.release();

    const parent = { ...written, pid: process.ppid };
    const began = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;
    writeFileSync(lock, JSON.stringify({ ...parent, began, dashboard_url: 'http://127.0.0.1:4600' }));
    expect(() => takeHome(home)).toThrow(`as process ${process.ppid} (dashboard http://127.0.0.1:4600)`);
    writeFileSync(lock, JSON.stringify({ ...parent, began: '1' }));
    expect(runningInstance(home)).toBeNull();
    writeFileSync(lock, '{"pid": 12');
    takeHome(home).release();
  });

  it('is held as long as it is there and its lock is this process’s, also after the addresses were written into that', async () => {
    const home = join(await tempDir(), 'home');
    const mine = takeHome(home);
    expect(mine.isHeld()).toBe(true);
    mine.describe({ dashboard_url: 'http://127.0.0.1:4600', query_api_url: '', ingest_url: '', clickhouse_url: '' });
    expect(mine.isHeld()).toBe(true);
    renameSync(home, `${home}-moved`);
    expect(mine.isHeld()).toBe(false);
    mine.release();
    const other = takeHome(home);
    expect([mine.isHeld(), other.isHeld()]).toEqual([false, true]);
    other.release();
  });

  it('of two starts that found the same dead lock, the second does not take away what the first has put there', async () => {
    const lock = join(await tempDir(), 'instance.json');
    writeFileSync(lock, 'dead');
    expect(takeLock(lock, 'dead', 'first')).toBe(true);
    expect(takeLock(lock, 'dead', 'second')).toBe(false);
    expect(takeLock(lock, null, 'third')).toBe(false);
    expect(readLock(lock)).toBe('first');
    expect(removeLock(lock, 'second')).toBe(false);
    expect(removeLock(lock, 'first')).toBe(true);
    expect(readdirSync(join(lock, '..'))).toEqual([]);
  });

  it('keeps secrets from one start to the next, for their owner only', async () => {
    const home = await tempDir();
    mkdirSync(join(home, 'secrets'));
    const secrets = ensureSecrets(home);
    expect(ensureSecrets(home)).toEqual(secrets);
    expect(statSync(secrets.controlTokenFile).mode & 0o777).toBe(0o600);
    expect(secrets.controlToken).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('ports', () => {
  it('0 becomes a free port, each another', async () => {
    const settled = await settlePorts([
      { title: 'one', endpoint: loopback(0, 'ONE_PORT') },
      { title: 'two', endpoint: loopback(0, 'TWO_PORT') },
    ]);
    expect(new Set(settled.map(({ port }) => port)).size).toBe(2);
    expect(settled.every(({ port }) => port > 0)).toBe(true);
  });

  it('a taken one is named with its variable and who has it', async () => {
    const { port, close } = await taken();
    await expect(settlePorts([{ title: 'dashboard', endpoint: loopback(port, 'DASHBOARD_PORT') }])).rejects.toThrow(
      new RegExp(`Port ${port} for the dashboard is taken by process ${process.pid} .*DASHBOARD_PORT=`),
    );
    close();
  });

  it('two endpoints with one port are refused', async () => {
    await expect(
      settlePorts([
        { title: 'one', endpoint: loopback(4999, 'ONE_PORT') },
        { title: 'two', endpoint: loopback(4999, 'TWO_PORT') },
      ]),
    ).rejects.toThrow('ONE_PORT and TWO_PORT both name port 4999');
  });
});

it('a terminal that was closed is spoken to in vain, and nothing else happens', async () => {
  const closed = new Writable({
    write(_chunk, _encoding, callback) {
      callback(Object.assign(new Error('write EIO'), { code: 'EIO' }));
    },
  });
  openTerminal(closed as unknown as NodeJS.WriteStream).say('Stopping');
  await new Promise((resolve) => closed.once('close', resolve));
  expect(closed.errored).toMatchObject({ code: 'EIO' });
});

describe('a log', () => {
  it('never keeps more than two files of its size, also while somebody else writes to it, and knows the last lines', async () => {
    const path = join(await tempDir(), 'service.log');
    const log = openLogFile(path, 1_000);
    const other = openSync(path, 'a');
    for (let line = 0; line < 100; line += 1) {
      writeSync(other, `line ${line} ${'x'.repeat(40)}\n`);
      log.enforceSize();
    }
    expect(statSync(path).size).toBeLessThanOrEqual(1_060);
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(1_060);
    expect(log.lastLines().at(-1)).toMatch(/^line 99 /);
    closeSync(other);
    log.close();
  });
});

describe('a supervised process', () => {
  /** Answers on a port, 503 below /unready and never again after /hang; ends with code 3 when the file `broken` is there. */
  const SERVICE = `
    import { existsSync } from 'node:fs';
    import { createServer } from 'node:http';
    if (existsSync(process.env.BROKEN)) { console.log('it is broken'); process.exit(3); }
    let hangs = false;
    createServer((request, response) => {
      if (hangs) return;
      hangs = request.url === '/hang';
      response.writeHead(request.url === '/unready' ? 503 : 200).end('ok');
    }).listen(Number(process.env.SERVICE_PORT), '127.0.0.1');
    process.on('SIGTERM', () => { console.log('stopped in order'); process.exit(0); });
  `;

  async function service() {
    const folder = await tempDir();
    const entry = join(folder, 'service.mjs');
    writeFileSync(entry, SERVICE);
    const [endpoint] = await settlePorts([{ title: 'service', endpoint: loopback(0, 'SERVICE_PORT') }]);
    const broken = join(folder, 'broken');
    const url = urlOf(endpoint!);
    const env = { SERVICE_PORT: String(endpoint!.port), BROKEN: broken };
    return { folder, broken, url, spec: { name: 'service', entry, env, readyUrl: url, aliveUrl: url } };
  }

  it('is started again when it ends, and stops when asked', async () => {
    const { folder, url, spec } = await service();
    const events: ChildEvent[] = [];
    const child = startChild(spec, folder, (event) => events.push(event));
    await child.ready;
    const first = child.pid()!;
    process.kill(first, 'SIGKILL');
    await until(() => events.some(({ kind }) => kind === 'back'), 20_000, 'the restart');
    expect(events[0]).toMatchObject({ kind: 'ended', how: 'ended by SIGKILL' });
    expect(child.pid()).not.toBe(first);
    expect((await fetch(url)).status).toBe(200);
    await child.stop(10_000);
    await expect(fetch(url)).rejects.toThrow();
  }, 40_000);

  it('that does not come up fails the start with its last lines', async () => {
    const { folder, broken, spec } = await service();
    writeFileSync(broken, '');
    const child = startChild(spec, folder, () => undefined);
    await expect(child.ready).rejects.toMatchObject({
      name: 'ChildStartError',
      how: 'ended with exit code 3',
      lastLines: expect.arrayContaining(['it is broken']) as string[],
    });
    await child.stop(10_000);
  }, 40_000);

  it('is stopped in order while it still starts, as soon as somebody asks', async () => {
    const { folder, spec } = await service();
    const child = startChild({ ...spec, readyUrl: `${spec.readyUrl}/unready` }, folder, () => undefined);
    const notReady = expect(child.ready).rejects.toMatchObject({ how: 'it was stopped while it started' });
    await until(() => fetch(spec.readyUrl), 20_000, 'its first answer');
    await child.stop(10_000);
    await notReady;
    expect(readFileSync(join(folder, 'service.log'), 'utf8')).toContain('stopped in order');
  }, 40_000);

  it('that does not answer is replaced in the time that is said, however long each question waits', async () => {
    const { folder, url, spec } = await service();
    const events: ChildEvent[] = [];
    const times = { pollMs: 10, timeoutMs: 500, silentMaxMs: 1_000 };
    const child = startChild(spec, folder, (event) => events.push(event), times);
    await child.ready;
    const hung = child.pid()!;
    await fetch(`${url}/hang`);
    const hungAt = performance.now();
    await until(() => events.some(({ kind }) => kind === 'silent'), 20_000, 'the verdict');
    expect(performance.now() - hungAt).toBeLessThan(4 * times.silentMaxMs);
    await until(() => events.some(({ kind }) => kind === 'back'), 20_000, 'the successor');
    expect(child.pid()).not.toBe(hung);
    await child.stop(10_000);
  }, 60_000);

  it('ends when whoever started it is gone without a word', async () => {
    const { spec, url, folder } = await service();
    const starter = join(folder, 'starter.ts');
    writeFileSync(
      starter,
      `import { startChild } from ${JSON.stringify(join(import.meta.dirname, 'child.ts'))};
       const child = startChild(${JSON.stringify(spec)}, ${JSON.stringify(folder)}, () => undefined);
       await child.ready;
       process.stdout.write(String(child.pid()), () => process.kill(process.pid, 'SIGKILL'));`,
    );
    const run = spawnSync(process.execPath, [starter], { encoding: 'utf8', timeout: 30_000 });
    const pid = Number(run.stdout);
    expect(pid).toBeGreaterThan(0);
    await until(() => !isAlive(pid), 20_000, 'the end of the process');
    await expect(fetch(url)).rejects.toThrow();
  }, 60_000);

  function isAlive(pid: number): boolean {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  }
});
