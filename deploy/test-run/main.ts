import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium } from './chromium.ts';
import { chosenProjects, vitestArguments } from './projects.ts';
import type { RunSummary } from './reporter.ts';
import { verdictOf } from './verdict.ts';

/** `npm test`: every project of vitest; the last lines say what was used, what was left out, and the counts. */
const ROOT = join(import.meta.dirname, '..', '..');
/** The setup of the integration tests says with this mark which real parts it found. */
const MARK = '[tests] ';

async function main(args: string[]): Promise<number> {
  const strict = process.env['CI'] === 'true';
  const wanted = chosenProjects(args);
  const notes: string[] = [];
  const leftOut: string[] = [];
  let projects = wanted;
  let chromiumPath = '';
  if (wanted.includes('e2e')) {
    const chromium = ensureChromium();
    if (chromium.path === null) {
      leftOut.push(`the tests of the whole system and of pages: ${chromium.reason}`);
      projects = wanted.filter((name) => name !== 'e2e');
    } else {
      chromiumPath = chromium.path;
      notes.push(`Chromium: ${chromium.origin}`);
    }
  }
  if (leftOut.length > 0 && (strict || projects.length === 0)) {
    const why = strict ? 'CI=true leaves nothing out, but this' : 'Nothing was asked for but what';
    console.error(`${why} can't run: ${leftOut.join('; ')}`);
    console.log('0 passed, 1 failed');
    return 1;
  }

  const folder = mkdtempSync(join(tmpdir(), 'lanewatch-tests-'));
  const file = join(folder, 'summary.json');
  const { code, marked } = await runVitest(vitestArguments(projects, args), {
    LANEWATCH_TEST_SUMMARY: file,
    ...(chromiumPath === '' ? {} : { CHROMIUM_PATH: chromiumPath }),
  });
  const summary: RunSummary = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as RunSummary)
    : { passed: 0, failed: 1, skipped: [] };
  rmSync(folder, { recursive: true, force: true });

  console.log('\nReal parts of this run');
  for (const line of [...marked.filter((text) => !text.startsWith('!!!')), ...notes]) console.log(`  ${line}`);
  leftOut.push(...marked.filter((text) => text.startsWith('!!!')).map((text) => text.replace(/^!!! LEFT OUT: /, '')));
  console.log(leftOut.length + summary.skipped.length === 0 ? 'Left out: nothing' : 'LEFT OUT');
  for (const text of leftOut) console.log(`  ${text}`);
  for (const text of summary.skipped) console.log(`  skipped: ${text}`);
  const { exitCode, failed, complaint } = verdictOf(code, summary, leftOut, strict);
  if (complaint !== '') console.error(complaint);
  console.log(`${summary.passed} passed, ${failed} failed`);
  return exitCode;
}

async function runVitest(args: string[], env: Record<string, string>): Promise<{ code: number; marked: string[] }> {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', `--reporter=${join(import.meta.dirname, 'reporter.ts')}`];
  const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...colour, ...env },
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  const marked: string[] = [];
  const follow = (from: NodeJS.ReadableStream, to: NodeJS.WritableStream) => {
    let rest = '';
    from.on('data', (chunk: Buffer) => {
      to.write(chunk);
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith(MARK)) marked.push(line.slice(MARK.length));
    });
  };
  follow(child.stdout, process.stdout);
  follow(child.stderr, process.stderr);
  // Ctrl-C reaches vitest by itself; a signal to this process alone is passed on. Either way the summary is still printed.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number>((resolve) => {
    child.once('close', (status) => {
      resolve(status ?? 1);
    });
  });
  return { code, marked };
}

process.exitCode = await main(process.argv.slice(2));
