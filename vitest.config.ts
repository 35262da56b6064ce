import { defineConfig } from 'vitest/config';

/**
 * One tsconfig for what tests transform: the dashboard's own extends a file that SvelteKit generates and that is not there
 * before its first build.
 */
const tsconfig = 'tsconfig.json';

/**
 * Suffix says what a test needs: `.test.ts` nothing, `.int.test.ts` real engines, `.e2e.test.ts` everything plus Chromium.
 * The groups run one after the other: tests that measure time-outs would fail beside a full set of unit tests.
 */
export default defineConfig({
  test: {
    projects: [
      {
        tsconfig,
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          // Ends what hangs. Nothing is judged by its time: property tests take seconds on a machine that does other things, too.
          testTimeout: 60_000,
          include: ['{ingest,detector,query-api,dashboard,deploy}/**/*.test.ts'],
          exclude: [
            '**/node_modules/**',
            '**/*.int.test.ts',
            '**/*.e2e.test.ts',
            '**/.svelte-kit/**',
            'dashboard/build/**',
          ],
        },
      },
      {
        test: {
          name: 'int',
          sequence: { groupOrder: 1 },
          include: ['{ingest,detector,query-api,deploy}/**/*.int.test.ts'],
          exclude: ['**/node_modules/**'],
          globalSetup: ['deploy/testing/global-setup.ts', 'query-api/src/testing/registry-template.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        tsconfig,
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['{dashboard,deploy}/**/*.e2e.test.ts'],
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
