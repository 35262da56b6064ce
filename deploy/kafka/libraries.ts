import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

const HERE = import.meta.dirname;
const POM = path.join(HERE, 'pom.xml');
const CACHE = path.join(HERE, '.libs');
/** The first Java that Kafka 4 brokers run on. */
const JAVA_MAJOR_MIN = 17;

/** Kafka cannot be had on this machine; the message is one sentence that says what to do. */
export class KafkaUnavailableError extends Error {
  override readonly name = 'KafkaUnavailableError';
}

async function outputOf(command: string, args: string[]): Promise<{ code: number; output: string } | null> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.on('error', () => {
      resolve(null);
    });
    child.on('close', (code) => {
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Throws {@link KafkaUnavailableError} unless a Java that can run the broker is on the path. */
async function requireJava(): Promise<void> {
  const java = await outputOf('java', ['-version']);
  if (!java || java.code !== 0)
    throw new KafkaUnavailableError(
      `Kafka needs Java ${JAVA_MAJOR_MIN} or newer and no "java" runs here: install one (Debian: apt-get install openjdk-17-jre-headless).`,
    );
  const major = Number(/version "(?:1\.)?(\d+)/.exec(java.output)?.[1] ?? 0);
  if (major < JAVA_MAJOR_MIN)
    throw new KafkaUnavailableError(
      `Kafka needs Java ${JAVA_MAJOR_MIN} or newer and "java" here is version ${major}: put a newer one first in PATH.`,
    );
}

/**
 * The class path of a Kafka broker. The first call lets Maven fetch about 54 MB into `deploy/kafka/.libs`; later ones find it there.
 * @param onProgress hears one line per step that takes long
 * @throws KafkaUnavailableError when Java or Maven is missing or the download fails
 */
export async function kafkaClassPath(onProgress: (line: string) => void = () => undefined): Promise<string> {
  await requireJava();
  // The folder is named for the versions it holds, so that a change of pom.xml never runs on yesterday's jars.
  const version = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  const directory = path.join(CACHE, version);
  if (!existsSync(directory)) await download(directory, onProgress);
  return `${directory}/*`;
}

async function download(directory: string, onProgress: (line: string) => void): Promise<void> {
  if (!(await outputOf('mvn', ['--version'])))
    throw new KafkaUnavailableError(
      'Kafka is fetched with Maven and no "mvn" runs here: install it (Debian: apt-get install maven) or set KAFKA_BROKERS to a broker you have.',
    );
  await mkdir(CACHE, { recursive: true });
  const partial = `${directory}.${process.pid}.partial`;
  onProgress('Fetching Kafka from Maven Central (about 54 MB, once)');
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  const child = spawn('mvn', ['-B', '-f', POM, goal, `-DoutputDirectory=${partial}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let reportedAt = Date.now();
  const listen = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-20_000);
    if (Date.now() - reportedAt < 2_000) return;
    reportedAt = Date.now();
    void readdir(partial)
      .then((files) => {
        onProgress(`  ${files.length} jars`);
      })
      .catch(() => {
        const fetched = /Downloaded from \S+ (\S+)/.exec(chunk.toString())?.[1];
        if (fetched) onProgress(`  ${path.basename(fetched)}`);
      });
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const code = await new Promise<number>((resolve) =>
    child.on('close', (status) => {
      resolve(status ?? 1);
    }),
  );
  if (code !== 0) {
    await rm(partial, { recursive: true, force: true });
    const reason = output.split('\n').find((line) => line.startsWith('[ERROR]')) ?? 'no reason given';
    throw new KafkaUnavailableError(`Maven could not fetch Kafka: ${reason.replace('[ERROR] ', '').slice(0, 400)}`);
  }
  // Two runs may fetch at once; whoever comes second finds the folder there and throws its own copy away.
  await rename(partial, directory).catch(async (error: unknown) => {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  });
  onProgress('Kafka is fetched');
}
