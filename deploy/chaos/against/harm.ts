import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../../measuring/options.ts';

/** Does harm once; resolves when that is done. Told the number of the fault, from 1. */
export type Harm = (number: number) => Promise<void>;

const SUGGESTIONS = [
  'kill a broker',
  'kill a replica of ClickHouse, the one that detectors write to among them',
  'cut a replica of ClickHouse off from Keeper',
  'kill a detector, or pause it for a minute (kill -STOP, kill -CONT)',
  'kill a pod of ingest',
  'restart Keeper',
];

/** Harm by a command of the operator's, which has the number in CHAOS_FAULT. It must end well: else nothing was harmed. */
export const byCommand =
  (command: string): Harm =>
  async (number) => {
    const child = spawn('sh', ['-c', command], {
      stdio: 'inherit',
      env: { ...process.env, CHAOS_FAULT: String(number) },
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code !== 0) throw new Error(`--hook ended with ${code ?? signal} at fault ${number}: ${command}`);
  };

/** Harm by hand: says what to do, and waits for Enter. @throws UsageError without a terminal */
export function byHand(): Harm {
  if (!process.stdin.isTTY)
    throw new UsageError('Without --hook COMMAND somebody must be at a terminal to do the harm.');
  return async (number) => {
    const asked = createInterface({ input: process.stdin, output: process.stdout });
    await asked.question(
      `Fault ${number}: ${SUGGESTIONS[(number - 1) % SUGGESTIONS.length]}. Press Enter once it is done; bring it back when you like. `,
    );
    asked.close();
  };
}
