import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runToEnd } from './child.mjs';
import { withLock } from './lock.mjs';
import { LaunchProblem } from './problem.mjs';

/** What the build is made from, besides the dashboard's own folder: the contracts it imports and the versions of its libraries. */
const INPUTS = ['dashboard', 'query-api/contract', 'ingest/contract', 'package-lock.json'];
const NOT_INPUTS = new Set(['build', '.svelte-kit', 'node_modules', 'e2e', 'docs', 'test-results']);

/** Builds the dashboard when its sources are not those of the last complete build. @param {string} root @param {string} node */
export async function ensureDashboardBuilt(root, node) {
  if (isBuilt(root)) return;
  await withLock(join(root, '.building.lock'), 'building the dashboard', async () => {
    if (!isBuilt(root)) await build(root, node);
  });
}

/** @param {string} root */
function isBuilt(root) {
  const stamp = stampFile(root);
  return (
    existsSync(join(root, 'dashboard', 'build', 'index.js')) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === sourcesHash(root)
  );
}

/** @param {string} root @param {string} node */
async function build(root, node) {
  const started = Date.now();
  console.error('Building the dashboard …');
  const hash = sourcesHash(root);
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const { code, told, output } = await runToEnd(node, [vite, 'build', '--logLevel', 'warn'], {
    cwd: join(root, 'dashboard'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (told !== null) throw new LaunchProblem(`Stopped by ${told} while building the dashboard.`);
  if (code !== 0) {
    throw new LaunchProblem(
      `${output}\nThe dashboard could not be built: the lines above say why; after a repair run the command again.`,
    );
  }
  writeFileSync(stampFile(root), hash);
  console.error(`Built the dashboard in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'dashboard', 'build', '.sources');
}

/** A hash over names and contents, because times of files say nothing after a checkout. @param {string} root */
function sourcesHash(root) {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    for (const file of filesBelow(join(root, input))) {
      hash
        .update(`${relative(root, file)}\0`)
        .update(readFileSync(file))
        .update('\0');
    }
  }
  return hash.digest('hex');
}

/** @param {string} path @returns {string[]} */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return [path];
  }
  return entries
    .filter((entry) => !NOT_INPUTS.has(entry.name) && !/\.(test|md)(\.ts)?$/.test(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]));
}
