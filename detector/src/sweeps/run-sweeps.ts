import type { Sweeper } from './sweeper.ts';

const MINUTE_MS = 60_000;
/** How often each is run. */
const EVERY_MS = {
  guards: MINUTE_MS,
  collectors: MINUTE_MS,
  floods: MINUTE_MS,
  keys: 15 * MINUTE_MS,
  coverage: 60 * MINUTE_MS,
} as const satisfies Record<keyof Sweeper, number>;

export interface SweepRunOptions {
  sweeper: Sweeper;
  /** Whether it is this detector's turn: that which holds the first partition. */
  isOurs(): boolean;
  now(): number;
  /** Rejects when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<unknown>;
  onFault(sweep: string, error: unknown): void;
}

/**
 * Runs the jobs one after the other, each when it is due; one that fails is run again a minute later. Two detectors that both take themselves
 * for the one whose turn it is find the same findings under the same ids, and only one of them may write.
 */
export function runSweeps({ sweeper, isOurs, now, wait, onFault }: SweepRunOptions): { close(): Promise<void> } {
  const closing = new AbortController();
  const dueMs = { guards: 0, collectors: 0, floods: 0, keys: 0, coverage: 0 };

  async function run(): Promise<void> {
    for (;;) {
      await wait(MINUTE_MS, closing.signal);
      for (const name of Object.keys(EVERY_MS) as (keyof Sweeper)[]) {
        if (closing.signal.aborted || !isOurs() || now() < dueMs[name]) continue;
        try {
          await sweeper[name](now());
          dueMs[name] = now() + EVERY_MS[name];
        } catch (error) {
          onFault(name, error);
        }
      }
    }
  }

  const running = run().catch(() => undefined);
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}
