import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read, repositoryFiles } from './repository.ts';
import ratchet from './ratchet.json' with { type: 'json' };

const files = repositoryFiles();
const code = files.filter((file) => /\.(ts|mts|mjs|js|svelte)$/.test(file) && !file.includes('/fixtures/'));
/** This file names what it forbids. */
const SELF = 'deploy/check/tidy.test.ts';

/** A file does one job; longer ones are listed in ratchet.json, where a length that goes up is seen by whoever reads the change. */
const LINES_MAX = 300;

describe('the top level', () => {
  it('is exactly what the design lists, plus the usual root files', () => {
    const top = new Set(files.map((file) => file.split('/')[0] ?? ''));
    const folders = ['dashboard', 'deploy', 'detector', 'ingest', 'query-api'];
    const rootFiles = [
      'LICENSE',
      'README.md',
      'eslint.config.js',
      'knip.json',
      'package-lock.json',
      'package.json',
      'tsconfig.json',
      'vitest.config.ts',
    ];
    const allowed = new Set([...folders, ...rootFiles]);
    expect([...top].filter((name) => !allowed.has(name) && !name.startsWith('.'))).toEqual([]);
    expect(folders.filter((name) => !top.has(name))).toEqual([]);
  });

  it('has no common package', () => {
    expect(
      files.filter((file) => /(^|\/)(utils?|common|shared|helpers?)\//i.test(file) && !file.includes('/fixtures/')),
    ).toEqual([]);
  });
});

describe('code', () => {
  it.each([
    ['silenced type errors', /@ts-(ignore|expect-error|nocheck)/],
    ['tests that only run alone or not at all', /\b(it|test|describe)(\.\w+)*\.(only|todo|skip)\b/],
    ['unfinished work', /\b(TODO|FIXME|XXX|HACK)\b/],
  ])('has nowhere %s', (_what, pattern) => {
    const found = code.filter((file) => file !== SELF && pattern.test(read(file)));
    expect(found).toEqual([]);
  });

  it('is in files of one job: longer ones are in ratchet.json with their length, which goes down when they do', () => {
    const long = code
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => [file, read(file).split('\n').length - 1] as const)
      .filter(([, lines]) => lines > LINES_MAX);
    expect(ratchet).toEqual(Object.fromEntries(long));
  });
});

describe('text', () => {
  it('names no folder of a workplace, only what is in this repository', () => {
    const pattern = /\/(?:work|home\/\w+|Users\/\w+|root)\/|\.\.\/shared\//;
    const found = files.filter((file) => {
      if (
        file === SELF ||
        file.includes('/fixtures/') ||
        file === 'package-lock.json' ||
        /\.(png|gz|pb|ico|woff2?)$/.test(file)
      )
        return false;
      return pattern.test(read(file));
    });
    expect(found).toEqual([]);
  });
});

describe('readmes', () => {
  it('link only to what is there', () => {
    const broken = files
      .filter((file) => file.endsWith('.md') && !file.includes('/fixtures/'))
      .flatMap((file) =>
        [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => ({
          file,
          link: posix.join(posix.dirname(file), match[1] ?? ''),
        })),
      )
      .filter(
        ({ link }) => !files.includes(link) && !files.some((file) => file.startsWith(`${link.replace(/\/$/, '')}/`)),
      );
    expect(broken).toEqual([]);
  });
});

describe('migrations', () => {
  it.each(['detector', 'query-api'])('of %s are numbered from 1, and never twice', (owner) => {
    const numbers = files
      .filter((file) => file.startsWith(`${owner}/migrations/`))
      .map((file) => /\/(\d{3})_[a-z0-9_]+\.sql$/.exec(file)?.[1] ?? file)
      .sort();
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual([...new Set(numbers)]);
    expect(numbers[0]).toBe('001');
  });
});

describe('the lockfile', () => {
  interface Package {
    optionalDependencies?: Record<string, string>;
  }
  const packages = (JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> }).packages;

  /** Where Node would look for a dependency of the package at a path. */
  const places = (at: string, name: string) => {
    const found = [`${at === '' ? '' : `${at}/`}node_modules/${name}`];
    for (let path = at; path !== '';) {
      const cut = path.lastIndexOf('node_modules/');
      path = cut <= 0 ? '' : path.slice(0, cut - 1);
      found.push(`${path === '' ? '' : `${path}/`}node_modules/${name}`);
    }
    return found;
  };

  it('names every build of every optional dependency, or npm ci refuses it on the next machine', () => {
    const missing = Object.entries(packages).flatMap(([at, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !places(at, name).some((place) => place in packages)),
    );
    expect(missing).toEqual([]);
  });
});
