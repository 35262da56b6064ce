import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chosenProjects, vitestArguments } from './projects.ts';
import { verdictOf } from './verdict.ts';

const all = { passed: 9, failed: 0, skipped: [] };
const some = { ...all, skipped: ['a full disk'] };

describe('the verdict on a run', () => {
  it('is success when all passed, also when something was left out', () => {
    expect(verdictOf(0, all, [], true)).toEqual({ exitCode: 0, failed: 0, complaint: '' });
    expect(verdictOf(0, some, ['pages'], false)).toEqual({ exitCode: 0, failed: 0, complaint: '' });
  });

  it('with CI=true is failure when anything was skipped or left out, and says so', () => {
    expect(verdictOf(0, some, [], true)).toMatchObject({ exitCode: 1, failed: 1 });
    expect(verdictOf(0, some, ['pages'], true).complaint).toContain('2 left out or skipped');
  });

  it("is vitest's own failure, even when no test failed", () => {
    expect(verdictOf(130, all, [], false)).toMatchObject({ exitCode: 130, failed: 1 });
    expect(verdictOf(1, { ...all, failed: 3 }, [], true)).toMatchObject({ exitCode: 1, failed: 3 });
  });
});

describe('arguments', () => {
  it('name projects in either spelling, and keep the rest', () => {
    const args = ['--project', 'unit', '--project=int', 'ingest/src', '-t', 'x'];
    expect(chosenProjects(args)).toEqual(['unit', 'int']);
    expect(vitestArguments(['unit'], args)).toEqual(['--project', 'unit', 'ingest/src', '-t', 'x']);
    expect(chosenProjects(['ingest'])).toEqual(['unit', 'int', 'e2e']);
  });
});

it('when nothing that was asked for can run, the run fails instead of running everything else', () => {
  const run = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), '--project', 'e2e'], {
    env: { ...process.env, CI: '', CHROMIUM_PATH: '/nowhere/chromium' },
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("can't run: the tests of the whole system and of pages: CHROMIUM_PATH names /nowhere");
  expect(run.stdout).toBe('0 passed, 1 failed\n');
}, 30_000);
