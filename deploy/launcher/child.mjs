import { spawn } from 'node:child_process';
import { watchParent } from './parent.mjs';

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * Runs a program to its end. What asks this process to end meanwhile is passed on: a signal, and npm that was killed outright.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, told: NodeJS.Signals | null, output: string }>} `told`: the
 *   signal that was passed on; `output`: what it wrote into pipes. Rejects when the program can't be started.
 */
export async function runToEnd(command, args, options) {
  const child = spawn(command, args, options);
  /** @type {NodeJS.Signals | null} */
  let told = null;
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    told = signal;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  // A program that is stopping already would take the end of npm for a second Ctrl-C.
  const unwatch = process.env.npm_lifecycle_event === undefined ? null : watchParent(() => told ?? pass('SIGTERM'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal, told, output }));
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, pass);
    unwatch?.();
  }
}
