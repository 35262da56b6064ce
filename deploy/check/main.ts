import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** `npm run check`: everything that can be said without running the program. */
const ROOT = join(import.meta.dirname, '..', '..');
const fix = process.argv.includes('--fix');

interface Check {
  title: string;
  cwd?: string;
  command: string[];
}

const bin = (name: string, ...path: string[]) => [process.execPath, join(ROOT, 'node_modules', name, ...path)];

const CHECKS: Check[] = [
  { title: 'types (tsc)', command: [...bin('typescript', 'bin', 'tsc'), '--noEmit', '-p', 'tsconfig.json'] },
  { title: 'types (svelte-check)', command: ['npm', 'run', '--silent', 'check'], cwd: 'dashboard' },
  { title: 'lint (eslint)', command: [...bin('eslint', 'bin', 'eslint.js'), ...(fix ? ['--fix'] : []), '.'] },
  {
    title: 'format (prettier)',
    command: [...bin('prettier', 'bin', 'prettier.cjs'), fix ? '--write' : '--check', '--log-level', 'warn', '.'],
  },
  { title: 'unused code (knip)', command: bin('knip', 'bin', 'knip.js') },
  {
    title: 'directions of dependencies, tidiness',
    command: [...bin('vitest', 'vitest.mjs'), 'run', '--project', 'unit', 'deploy/check', '--reporter=dot'],
  },
];

/** Runs a check; its output is shown only when it fails. */
async function run({ command, cwd = '.' }: Check): Promise<{ ok: boolean; output: string }> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: join(ROOT, cwd), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const hear = (chunk: Buffer) => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve(1);
    });
    child.once('close', (status) => {
      resolve(status ?? 1);
    });
  });
  return { ok: code === 0, output };
}

let failed = 0;
for (const check of CHECKS) {
  const started = performance.now();
  const { ok, output } = await run(check);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${ok ? '✓' : '✗'} ${check.title.padEnd(40)} ${seconds.padStart(6)} s`);
  if (ok) continue;
  failed += 1;
  console.log(output.trimEnd());
}
console.log(failed === 0 ? 'All checks pass.' : `${failed} of ${CHECKS.length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
