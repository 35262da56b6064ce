import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** What a run came to, for the last lines of `npm test`. */
export interface RunSummary {
  passed: number;
  failed: number;
  /** Titles of what was skipped: nothing may be left out silently. */
  skipped: string[];
}

/** Counts tests of finished modules; a module that could not even be loaded, and an error outside of tests, count as failed. */
function summarise(modules: readonly TestModule[], unhandledErrors: number): RunSummary {
  const summary: RunSummary = { passed: 0, failed: unhandledErrors, skipped: [] };
  for (const module of modules) {
    const before = summary.failed;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') summary.passed += 1;
      else if (state === 'failed') summary.failed += 1;
      else summary.skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
    }
    // Hooks fail outside of any test.
    if (module.state() === 'failed' && summary.failed === before) summary.failed += 1;
  }
  return summary;
}

/** Vitest reporter: writes the summary where the runner looks for it. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env['LANEWATCH_TEST_SUMMARY'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(summarise(modules, unhandledErrors.length)));
  }
}
