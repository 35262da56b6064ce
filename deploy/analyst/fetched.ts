import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);
const TOOLS = join(import.meta.dirname, 'tools');
const CACHE = join(import.meta.dirname, '.tools');
/** Half a gigabyte of packages over a slow line. */
const FETCH_TIMEOUT_MS = 900_000;
const COPY_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** A file of ours that a tool reads. */
export const toolFile = (name: string): string => join(TOOLS, name);

/** What files name, fetched once; a change of them is fetched anew. */
async function fetchOnce(name: string, files: string[], fetch: (folder: string) => Promise<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  const folder = join(CACHE, `${name}-${hash.digest('hex').slice(0, 12)}`);
  const done = join(folder, '.whole');
  if (existsSync(done)) return folder;
  // A Python environment knows its own place, so it is made where it stays.
  rmSync(folder, { recursive: true, force: true });
  await fetch(folder);
  writeFileSync(done, '');
  return folder;
}

/** Folder of the programs of a Python environment with the packages of requirements files, from PyPI. */
export async function pythonWith(...requirements: string[]): Promise<string> {
  const folder = await fetchOnce('python', requirements, async (path) => {
    await run('python3', ['-m', 'venv', path]);
    const install = ['install', '--quiet', '--disable-pip-version-check'];
    const files = requirements.flatMap((file) => ['-r', file]);
    await run(join(path, 'bin/pip'), [...install, ...files], { timeout: FETCH_TIMEOUT_MS });
  });
  return join(folder, 'bin');
}

/** Class path of the JDBC driver, from Maven Central. */
export async function jdbcClassPath(): Promise<string> {
  const folder = await fetchOnce('jdbc', [toolFile('pom.xml')], (path) =>
    run('mvn', ['-B', '-q', '-f', toolFile('pom.xml'), COPY_GOAL, `-DoutputDirectory=${path}`], {
      timeout: FETCH_TIMEOUT_MS,
    }),
  );
  return join(folder, '*');
}

/** Whether a program can be run here. */
export const isThere = (program: string, argument: string): Promise<boolean> =>
  run(program, [argument]).then(
    () => true,
    () => false,
  );
