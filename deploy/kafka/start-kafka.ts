import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { kafkaClassPath, KafkaUnavailableError } from './libraries.ts';
import { makeCertificate, scramUserArguments, securePropertiesOf, type SecureListener } from './secure-listener.ts';

export { KafkaUnavailableError } from './libraries.ts';

export interface StartKafkaOptions {
  /** Where the broker keeps its data. Without it a temporary directory that `stop` removes. */
  dir?: string;
  /** Port on 127.0.0.1; a free one without it. */
  port?: number;
  /** Of several brokers that are one cluster: its id and this one's port for the others. Which they are is in `properties`. */
  cluster?: { id: string; controllerPort: number };
  /** Java heap in MiB. Default 512. */
  heapMb?: number;
  /** Broker properties on top of the ones here, or instead of them. */
  properties?: Record<string, string | number | boolean>;
  /** How long a start may take, milliseconds. Default 60,000. */
  startDeadlineMs?: number;
  /** A second listener that speaks TLS and asks for this user, by any of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  secure?: SecureListener;
  /** Hears one line per step that takes long. */
  onProgress?: (line: string) => void;
}

/** A broker that runs as a child of this process. */
export interface KafkaServer {
  /** `host:port`, for KAFKA_BROKERS. */
  readonly brokers: string;
  /** Where the secure listener is, and the authority of its certificate; null without one. */
  readonly secure: { brokers: string; caFile: string } | null;
  /** Process id of the broker that runs now. */
  readonly pid: number;
  /** Ends it in order and removes its data when the directory was a temporary one. */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, ending it first when it runs. */
  restart(): Promise<void>;
  /** Resolves with the end of its log when the broker that runs now has ended, wanted or not. */
  ended(): Promise<string>;
}

const START_DEADLINE_DEFAULT_MS = 60_000;
const STOP_DEADLINE_MS = 20_000;

/**
 * Starts a single-node Kafka (KRaft, no ZooKeeper, no Docker) and resolves once it answers requests.
 * @throws KafkaUnavailableError when Java or Maven are missing or the broker ends at once
 */
export async function startKafka(options: StartKafkaOptions = {}): Promise<KafkaServer> {
  const classPath = await kafkaClassPath(options.onProgress);
  if (options.dir !== undefined) return startIn(classPath, options.dir, options);
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lanewatch-kafka-'));
  const remove = () => rm(dir, { recursive: true, force: true, maxRetries: 3 });
  try {
    const kafka = await startIn(classPath, dir, options);
    // Data that is about to be removed needs no orderly end, which takes seconds.
    return Object.assign(kafka, { stop: () => kafka.kill().then(remove) });
  } catch (error) {
    await remove();
    throw error;
  }
}

async function startIn(classPath: string, dir: string, options: StartKafkaOptions): Promise<KafkaServer> {
  await mkdir(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const controllerPort = options.cluster?.controllerPort ?? (await freePort());
  const secure = options.secure ? { port: await freePort(), caFile: await makeCertificate(dir) } : null;
  const properties = path.join(dir, 'server.properties');
  const logFile = path.join(dir, 'kafka.log');
  const overrides = {
    ...(options.secure ? securePropertiesOf(dir, options.secure) : {}),
    ...options.properties,
  };
  await writeFile(properties, serverProperties(dir, { port, controllerPort, securePort: secure?.port }, overrides));
  const clusterId = options.cluster?.id ?? newClusterId();
  await formatOnce(classPath, dir, properties, clusterId, options.secure ? scramUserArguments(options.secure) : []);

  const startDeadlineMs = options.startDeadlineMs ?? START_DEADLINE_DEFAULT_MS;
  const start = () => launch({ classPath, logFile, properties, port, heapMb: options.heapMb ?? 512, startDeadlineMs });
  let child = await start();

  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await endOf(child);
    clearTimeout(timer);
  };
  return {
    brokers: `127.0.0.1:${port}`,
    secure: secure && { brokers: `127.0.0.1:${secure.port}`, caFile: secure.caFile },
    get pid() {
      return child.pid ?? -1;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      child = await start();
    },
    async ended() {
      await endOf(child);
      return endOfLog(logFile);
    },
  };
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function endOf(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) await once(child, 'exit');
}

function endOfLog(logFile: string): string {
  return readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
}

function serverProperties(
  dir: string,
  { port, controllerPort, securePort }: { port: number; controllerPort: number; securePort: number | undefined },
  overrides: NonNullable<StartKafkaOptions['properties']>,
): string {
  const forClients = [
    `PLAINTEXT://127.0.0.1:${port}`,
    ...(securePort === undefined ? [] : [`SECURE://127.0.0.1:${securePort}`]),
  ];
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...forClients, `CONTROLLER://127.0.0.1:${controllerPort}`].join(','),
    'advertised.listeners': forClients.join(','),
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL',
    'log.dirs': path.join(dir, 'data'),
    'auto.create.topics.enable': false,
    // One node holds every internal topic alone.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    // The default waits three seconds for further members each time a group forms.
    'group.initial.rebalance.delay.ms': 0,
    // Tests of lost membership would wait six seconds with the default.
    'group.min.session.timeout.ms': 1_000,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.threads': 1,
    ...overrides,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** A cluster id is 16 random bytes in URL-safe base64; making it here saves the start of a Java machine. */
export function newClusterId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
    .toString('base64url')
    .replace(/^-/, 'A');
}

async function formatOnce(
  classPath: string,
  dir: string,
  properties: string,
  clusterId: string,
  users: string[],
): Promise<void> {
  const formatted = await access(path.join(dir, 'data', 'meta.properties')).then(
    () => true,
    () => false,
  );
  if (formatted) return;
  const child = spawn(
    'java',
    [
      ...quietLog('error'),
      '-XX:TieredStopAtLevel=1',
      '-cp',
      classPath,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      clusterId,
      '-c',
      properties,
      ...users,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((resolve) =>
    child.on('close', (status) => {
      resolve(status ?? 1);
    }),
  );
  if (code !== 0) throw new KafkaUnavailableError(`Kafka could not prepare ${dir}: ${output.trim().slice(-400)}`);
}

function quietLog(level: 'error' | 'warn'): string[] {
  return [
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${level}`,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dlog4j2.level=ERROR',
  ];
}

interface Launch {
  classPath: string;
  logFile: string;
  properties: string;
  port: number;
  heapMb: number;
  startDeadlineMs: number;
}

async function launch({
  classPath,
  logFile,
  properties,
  port,
  heapMb,
  startDeadlineMs,
}: Launch): Promise<ChildProcess> {
  const log = openSync(logFile, 'a');
  const child = spawn('java', [...quietLog('warn'), `-Xmx${heapMb}m`, '-cp', classPath, 'kafka.Kafka', properties], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  // From here on, so that an end of this process in the middle of the start leaves no broker behind.
  const killOnExit = () => child.kill('SIGKILL');
  process.on('exit', killOnExit);
  child.once('exit', () => process.off('exit', killOnExit));
  const deadline = Date.now() + startDeadlineMs;
  while (!(await answers(port))) {
    const ended = hasEnded(child);
    if (!ended && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    child.kill('SIGKILL');
    throw new KafkaUnavailableError(
      `Kafka ${ended ? 'ended while starting' : `did not answer on port ${port} within ${startDeadlineMs / 1000} s`}; the end of ${logFile}:\n${endOfLog(logFile)}`,
    );
  }
  return child;
}

/** Whether a broker answers an ApiVersions request: the port alone is open before requests are served. */
function answers(port: number): Promise<boolean> {
  // length 10 | api key 18, version 0 | correlation id 1 | null client id
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
    const settle = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(1_000, () => {
      settle(false);
    });
    socket.once('data', () => {
      settle(true);
    });
    socket.once('error', () => {
      settle(false);
    });
    socket.once('close', () => {
      settle(false);
    });
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
