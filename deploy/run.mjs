#!/usr/bin/env node
/**
 * The first file of every command. It runs on Node 20 with nothing installed, so it and deploy/launcher/ use only what
 * Node 20 has. It installs and builds what is missing and goes on under the pinned Node 24.
 */
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE_MAJOR_MIN = 20;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  console.error(
    `Lanewatch starts with Node ${NODE_MAJOR_MIN} or newer and this is ${process.version}: install a current one from https://nodejs.org and run the command again.`,
  );
  process.exit(1);
}

const { COMMANDS, overview } = await import('./launcher/commands.mjs');
const { LaunchProblem } = await import('./launcher/problem.mjs');

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof LaunchProblem)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** @param {string[]} argv */
async function main(argv) {
  const [name, ...args] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(overview());
    return;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    throw new LaunchProblem(`There is no command "${name}"; npm run -s lanewatch -- --help lists what there is.`);
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.help);
    return;
  }
  if (process.platform === 'win32') {
    throw new LaunchProblem('Lanewatch runs on Linux and macOS; on Windows start it inside WSL 2.');
  }
  const { ensureInstalled, pinnedNode } = await import('./launcher/install.mjs');
  await ensureInstalled(root);
  const node = pinnedNode(root);
  if (command.dashboard) {
    const { ensureDashboardBuilt } = await import('./launcher/dashboard.mjs');
    await ensureDashboardBuilt(root, node);
  }
  const entry = join(root, 'deploy', command.entry);
  process.env.PATH = [dirname(node), process.env.PATH].join(delimiter);
  if (realpathSync(process.execPath) === realpathSync(node)) {
    process.argv = [process.execPath, entry, ...args];
    await import(pathToFileURL(entry).href);
    return;
  }
  await goOnUnder(node, [entry, ...args]);
}

/**
 * Runs the command under another Node and ends as it ends; signals are passed on.
 * @param {string} node
 * @param {string[]} args
 */
async function goOnUnder(node, args) {
  const { runToEnd } = await import('./launcher/child.mjs');
  const env = { ...process.env, LANEWATCH_LAUNCHER_PID: String(process.pid) };
  const { code, signal } = await runToEnd(node, args, { stdio: 'inherit', env });
  process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
}
