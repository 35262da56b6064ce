import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const MAC_APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Where a browser came from, or why there is none. */
export type Chromium = { path: string; origin: string } | { path: null; reason: string };

/** Chromium from CHROMIUM_PATH, else one of this machine, else from apt where we are root on Debian. */
export function ensureChromium(): Chromium {
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    return isExecutable(named)
      ? { path: named, origin: 'from CHROMIUM_PATH' }
      : { path: null, reason: `CHROMIUM_PATH names ${named}, which can't be run` };
  }
  const there = installed();
  if (there !== null) return { path: there, origin: there };
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    return { path: null, reason: 'no Chromium or Chrome found; install one or name it with CHROMIUM_PATH' };
  }
  console.log('Installing Chromium from apt (once)');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ]) {
    const run = spawnSync('apt-get', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (run.status !== 0) {
      return { path: null, reason: `apt-get could not install Chromium (${lastLine(run.stderr)})` };
    }
  }
  const path = installed();
  return path === null ? { path: null, reason: 'apt-get installed no Chromium' } : { path, origin: 'from apt' };
}

function installed(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...MAC_APPLICATIONS];
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
