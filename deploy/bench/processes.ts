import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchContext } from './bench.ts';

const LOOK_INTERVAL_MS = 50;

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** SIGTERM, and waits for the end; a process that has ended already is left alone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/**
 * Waits until a process that serves HTTP answers with 2xx.
 * @param name of the process, for the error
 * @throws Error when it ends before, or when the time is up
 */
export async function untilItAnswers(
  child: ChildProcess,
  { name, url, deadlineMs }: { name: string; url: string; deadlineMs: number },
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  const answers = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await answers())) {
    if (hasEnded(child)) throw new Error(`${name} ended before ${url} answered`);
    if (performance.now() > deadline) throw new Error(`${url} of ${name} did not answer in ${deadlineMs / 1000} s`);
    await delay(LOOK_INTERVAL_MS);
  }
}

/**
 * Starts a program that serves HTTP and prints its address first, until the bench ends.
 * @returns its address
 * @throws Error when it ends without one
 */
export async function startServer(context: BenchContext, program: URL, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [fileURLToPath(program), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.atEnd(() => endProcess(child));
  for await (const url of createInterface({ input: child.stdout })) return url;
  throw new Error(`${[program.href, ...args].join(' ')} did not start`);
}
