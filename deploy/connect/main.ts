import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTwoFilesPatch } from 'diff';
import {
  type ClientConfiguration,
  type ClientFile,
  clientConfigurations,
} from '@lanewatch/ingest/contract/client-configuration';
import { fromCaller } from '../embedded/caller.ts';
import { bootstrap } from '../embedded/control.ts';
import { controlOfRunning } from '../embedded/running.ts';
import { resourceAttributes } from './attributes.ts';
import { managedFiles } from './device-profile.ts';
import { type FleetFile, fleetFiles, ROTATION, SYSTEMS } from './fleet.ts';
import { merged, MergeProblem } from './merge.ts';
import { sendTestEvent } from './test-event.ts';

/** Stands where the key belongs while none was made. */
const PLACEHOLDER = 'COLLECTOR_KEY';
/** How long a key that was just issued may take to arrive at ingest. */
const NEW_KEY_MS = 10_000;

/** `npm run -s lanewatch -- connect CLIENT`: prints a client's configuration, writes it, tries the way to ingest. */
try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      write: { type: 'boolean', default: false },
      test: { type: 'boolean', default: false },
      file: { type: 'string' },
      url: { type: 'string' },
      key: { type: 'string' },
      'key-file': { type: 'string' },
      fleet: { type: 'string' },
    },
  });
  const [name] = positionals;
  const names = clientConfigurations('http://x', PLACEHOLDER).map((client) => client.name);
  if (name === undefined || !names.includes(name) || positionals.length > 1) {
    throw new Error(`Name one client: ${names.join(', ')}.`);
  }
  const { fleet } = values;
  if (values.url !== undefined && !/^https?:$/.test(URL.parse(values.url)?.protocol ?? ''))
    throw new Error(`--url is an address such as https://ingest.example.com, not "${values.url}".`);
  const givenKey = values.key ?? keyOfFile(values['key-file']) ?? process.env.COLLECTOR_KEY;
  if (fleet !== undefined) {
    if (values.url === undefined || values.write || values.test)
      throw new Error(
        '--fleet prints files for other machines: name --url, the address at which they reach ingest, and neither --write nor --test.',
      );
    printFleet(filesOfFleet(name, fleet, values.url.replace(/\/+$/, ''), givenKey ?? PLACEHOLDER));
    return 0;
  }
  const running = values.url === undefined ? controlOfRunning(process.env) : null;
  const url = (values.url ?? running!.ingestUrl).replace(/\/+$/, '');
  const configured = (key: string): ClientConfiguration => {
    const find = (attributes: string) =>
      clientConfigurations(url, key, attributes).find((client) => client.name === name)!;
    return find(resourceAttributes(process.env, find('').keyVariables));
  };
  const targets = targetsOf(configured(PLACEHOLDER), values.file);
  const needsKey = values.write || values.test;
  let key = givenKey ?? keyIn(targets, url);
  const isNew = key === null;
  if (key === null && needsKey) {
    if (running === null)
      throw new Error('With --url a collector key is needed: --key KEY, --key-file FILE or $COLLECTOR_KEY.');
    ({ collectorKey: key } = await bootstrap(running.control, true));
  }
  const client = configured(key ?? PLACEHOLDER);
  if (values.write) for (const [index, file] of client.files.entries()) write(targets[index]!, file);
  else if (!values.test) print(client);
  if (!values.test) return 0;
  const result = await sendTestEvent(url, key!, client.route, isNew ? NEW_KEY_MS : 0);
  (result.ok ? console.log : console.error)(result.message);
  return result.ok ? 0 : 1;
}

/** The collector key alone in a file, so that it stands in no list of processes and no shell history. */
function keyOfFile(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  let key: string;
  try {
    key = readFileSync(fromCaller(path, process.env), 'utf8').trim();
  } catch (error) {
    throw new Error(`--key-file can't be read: ${(error as Error).message}`, { cause: error });
  }
  if (!/^\w+$/.test(key)) throw new Error(`${path} holds no collector key: one line, lw_ and letters, is expected.`);
  return key;
}

/** @throws for what is no kind of fleet */
function filesOfFleet(name: string, fleet: string, url: string, key: string): FleetFile[] {
  if (fleet === 'mdm') return managedFiles(name, url, key);
  const system = SYSTEMS.find((one) => one === fleet);
  if (system === undefined) throw new Error(`--fleet is one of ${SYSTEMS.join(', ')}, mdm, not "${fleet}".`);
  return fleetFiles(name, system, url, key);
}

/** Prints what is put on every machine of a fleet. */
function printFleet(files: readonly FleetFile[]): void {
  for (const { path, text } of files) console.log(`# ${path}\n${text}`);
  console.log(ROTATION);
}

/** The files on this machine; the one that --file names takes the place of the first. */
function targetsOf({ title, files }: ClientConfiguration, named: string | undefined): (string | null)[] {
  return files.map(({ path }, index) => {
    if (index === 0 && named !== undefined) return fromCaller(named, process.env);
    if (path === '') return null;
    if (!path.startsWith('~/')) throw new Error(`The path of ${title} is not below the home directory.`);
    return join(homedir(), path.slice(2));
  });
}

/** The collector key that a file already has for this ingest, so that writing again makes no other. */
function keyIn(targets: (string | null)[], url: string): string | null {
  const text = targets.map((path) => (path !== null && existsSync(path) ? readFileSync(path, 'utf8') : '')).join('\n');
  return text.includes(url) ? (/\blw_[a-z]+_\w+/.exec(text)?.[0] ?? null) : null;
}

function print({ title, files, note }: ClientConfiguration): void {
  for (const { path, text } of files) {
    console.log(`# ${title}${path === '' ? '' : `: ${path}`}`);
    console.log(text);
  }
  if (note !== '') console.log(`# ${note}`);
}

/** Puts the lines into a file, shows what changed, and keeps what was there beside it. */
function write(path: string | null, { text, format }: ClientFile): void {
  if (path === null) throw new Error('Where this configuration lives is for you to say: --file FILE.');
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  let after: string;
  try {
    after = merged(before, text, format);
  } catch (error) {
    if (error instanceof MergeProblem) throw new Error(`${path} ${error.message}.`, { cause: error });
    throw error;
  }
  if (after === before) {
    console.log(`${path} has these lines already.`);
    return;
  }
  // It holds a key from now on. Written beside and renamed, so that the client never reads half a file.
  const mode = before === '' ? 0o600 : statSync(path).mode & 0o777;
  mkdirSync(dirname(path), { recursive: true });
  if (before !== '') {
    const backup = `${path}.before-lanewatch-${new Date().toISOString().replace(/[:.]/g, '-')}`;
    copyFileSync(path, backup);
    console.log(`${path} as it was is kept in ${backup}`);
  }
  writeFileSync(`${path}.lanewatch`, after, { mode });
  renameSync(`${path}.lanewatch`, path);
  console.log(createTwoFilesPatch(path, path, before, after, 'before', 'after').replace(/^Index: .*\n=+\n/, ''));
}
