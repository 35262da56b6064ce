import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** Files under version control and new ones that are not ignored, relative to the root, that exist. */
export function repositoryFiles(): string[] {
  const list = (args: string[]) =>
    execFileSync('git', ['ls-files', '-z', ...args], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
      .split('\0')
      .filter((file) => file !== '');
  return [...new Set([...list([]), ...list(['--others', '--exclude-standard'])])].filter((file) =>
    existsSync(join(ROOT, file)),
  );
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])([^'"\n]+)\1/g;

/** Module names that a source file imports, statically or dynamically. */
export function importsOf(source: string): string[] {
  return [...withoutComments(source).matchAll(IMPORT)].map((match) => match[2] ?? '');
}

/** The source with comments blanked. Strings are kept; a `//` inside one that looks like a comment is not worth a parser. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}
