import type { RunSummary } from './reporter.ts';

/** What `npm test` ends with. */
export interface Verdict {
  exitCode: number;
  /** For the last line; at least 1 whenever the exit code is not 0. */
  failed: number;
  /** Why a run without a failed test is no success; '' when there is nothing to say. */
  complaint: string;
}

/**
 * @param leftOut what could not run at all
 * @param strict CI=true: whatever was left out or skipped makes the run fail
 */
export function verdictOf(vitestExitCode: number, summary: RunSummary, leftOut: string[], strict: boolean): Verdict {
  const missing = leftOut.length + summary.skipped.length;
  const complaint =
    strict && missing > 0 ? `CI=true leaves nothing out, but ${missing} left out or skipped: the run has failed.` : '';
  const exitCode = vitestExitCode !== 0 ? vitestExitCode : complaint === '' ? 0 : 1;
  // A run that ended before its last test, or whose teardown failed, is no success whatever was counted.
  return { exitCode, failed: exitCode !== 0 && summary.failed === 0 ? 1 : summary.failed, complaint };
}
