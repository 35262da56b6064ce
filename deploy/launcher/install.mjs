import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runToEnd } from './child.mjs';
import { withLock } from './lock.mjs';
import { LaunchProblem } from './problem.mjs';

/** Installs the dependencies when they are missing or belong to another lockfile. @param {string} root */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  await withLock(join(root, '.installing.lock'), 'installing dependencies', async () => {
    if (isInstalled(root)) return;
    await install(root);
  });
}

/** The pinned Node 24. @param {string} root */
export function pinnedNode(root) {
  return join(root, 'node_modules', 'node', 'bin', 'node');
}

/**
 * The stamp names the lockfile that was installed completely. npm writes its own list as its last act, so without a stamp
 * (somebody ran npm by hand) that list decides; after an interrupted installation neither is there.
 * @param {string} root
 */
function isInstalled(root) {
  if (!existsSync(pinnedNode(root))) return false;
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  const stamp = readIfThere(stampFile(root));
  if (stamp === stampOf(lockfile)) return true;
  const installed = readIfThere(join(root, 'node_modules', '.package-lock.json'));
  if (installed === null || !agrees(lockfile.toString('utf8'), installed) || nodeProblem(root) !== null) return false;
  writeStamp(root, lockfile);
  return true;
}

/** Whether every package the lockfile asks for is there in its version; optional ones may be absent. @param {string} lockfile @param {string} installed */
function agrees(lockfile, installed) {
  /** @type {Record<string, {version?: string, optional?: boolean, devOptional?: boolean, link?: boolean}>} */
  const wanted = JSON.parse(lockfile).packages;
  /** @type {Record<string, {version?: string}>} */
  const there = JSON.parse(installed).packages;
  return Object.entries(wanted).every(([path, { version, optional, devOptional, link }]) => {
    if (!path.includes('node_modules/') || link) return true;
    const found = there[path];
    return found ? found.version === version : optional === true || devOptional === true;
  });
}

/** @param {string} root */
async function install(root) {
  const started = Date.now();
  console.error('Installing dependencies (npm ci; a minute or two the first time) …');
  const { command, args } = npm();
  // Install scripts unpack the pinned Node; nothing of ours asks npm about funding or audits.
  const options = [
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--progress=true',
    '--include=dev',
    '--include=optional',
  ];
  const ticker = setInterval(() => {
    console.error(`  … still installing, ${Math.round((Date.now() - started) / 1000)} s`);
  }, 10_000);
  const outcome = await runToEnd(command, [...args, 'ci', ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environmentForNpm(root),
  })
    .then(
      ({ code, signal, told }) => {
        if (told !== null) throw new LaunchProblem(`Stopped by ${told} while installing dependencies.`);
        return code === 0 ? '' : signal ? `it was stopped by ${signal}` : `exit code ${code}`;
      },
      (error) => error.message,
    )
    .finally(() => clearInterval(ticker));
  if (outcome !== '') {
    throw new LaunchProblem(
      `The dependencies could not be installed with npm ci (${outcome}): see npm's message above, check the network, and run the command again.`,
    );
  }
  const problem = nodeProblem(root);
  if (problem !== null) throw new LaunchProblem(problem);
  writeStamp(root, readFileSync(join(root, 'package-lock.json')));
  console.error(`Installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** Why the pinned Node does not work, as a sentence; null when it does. @param {string} root */
function nodeProblem(root) {
  const node = pinnedNode(root);
  if (!existsSync(node)) {
    return 'npm did not unpack Node 24 (node_modules/node/bin/node is missing): install scripts are probably switched off; allow them (npm config set ignore-scripts false) and run the command again.';
  }
  const run = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (run.status === 0) return null;
  const reason = (run.error?.message ?? run.stderr).trim().split('\n')[0] ?? '';
  return `Node 24 from the dependencies does not run on this machine (${reason}): it needs a 64-bit Linux or macOS with a C library of 2018 or newer (glibc 2.28).`;
}

/**
 * npm as it was called, by the Node it was called with. Never the Node below node_modules, which npm ci is about to delete.
 */
function npm() {
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  if (
    script &&
    node &&
    existsSync(script) &&
    existsSync(node) &&
    !node.includes(`${join('node_modules', 'node', 'bin')}`)
  ) {
    return { command: node, args: [script] };
  }
  return { command: 'npm', args: [] };
}

/** @param {string} root */
function environmentForNpm(root) {
  const path = (process.env.PATH ?? '').split(delimiter).filter((part) => !part.startsWith(join(root, 'node_modules')));
  // A production setting in the caller's environment would leave out what starts the services.
  const { NODE_ENV: _unused, ...rest } = process.env;
  return { ...rest, PATH: path.join(delimiter) };
}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'node_modules', '.lanewatch-installed');
}

/** @param {Buffer} lockfile */
function stampOf(lockfile) {
  return `${createHash('sha256').update(lockfile).digest('hex')} ${process.platform} ${process.arch}\n`;
}

/** @param {string} root @param {Buffer} lockfile */
function writeStamp(root, lockfile) {
  writeFileSync(stampFile(root), stampOf(lockfile));
}

/** @param {string} file */
function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
