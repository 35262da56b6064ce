import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

const POLL_MS = 10;

/**
 * Resolves with the condition's first truthy value.
 * @param condition looked at every 10 ms; its exceptions are taken as "not yet" until the deadline
 * @param deadlineMs after this long the returned promise rejects
 * @param what completes "timed out waiting for …"
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  deadlineMs: number,
  what = condition.toString(),
): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) {
      const why = failure instanceof Error ? `; the last look failed: ${failure.message}` : '';
      throw new Error(`timed out after ${deadlineMs} ms waiting for ${what}${why}`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** A fresh directory that goes when the running test is finished. Call it inside a test. */
export async function tempDir(): Promise<string> {
  const directory = await makeTempDir();
  onTestFinished(() => removeDir(directory));
  return directory;
}

/** A fresh directory; whoever asked for it removes it with {@link removeDir}. For hooks, where no test is running. */
export function makeTempDir(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), 'lanewatch-test-'));
}

export function removeDir(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** A name that no other test or run uses: for topics, groups, tables, databases. Letters, digits and `_` only. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString('hex')}`;
}
