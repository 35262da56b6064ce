import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, read, repositoryFiles } from './repository.ts';

/** Imports follow the data: a package may import only contracts of packages to its left. */
const ORDER = ['ingest', 'detector', 'query-api', 'dashboard'];
/** Files of deploy that may reach into another package: they measure or break a single part of it on purpose. */
const MAY_REACH_IN = /^deploy\/(bench|chaos)\/|\.test\.ts$|\/testing(\/|\.ts$)/;

const sources = repositoryFiles().filter(
  (file) => /\.(ts|mts|mjs|js|svelte)$/.test(file) && !file.includes('/fixtures/'),
);
const packageOf = (file: string) => file.split('/')[0] ?? '';

interface Import {
  file: string;
  name: string;
}
const imports: Import[] = sources.flatMap((file) => importsOf(read(file)).map((name) => ({ file, name })));

describe('the import scanner', () => {
  it('sees every way to import and nothing in comments', () => {
    const source = `import a from 'one';\nexport * from "two";\nimport 'three';\nawait import('four');\n// import 'no'\n/* from 'no' */`;
    expect(importsOf(source)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('finds the imports of this repository', () => {
    expect(imports.length).toBeGreaterThan(500);
  });
});

describe('directions of dependencies', () => {
  it('a package imports only contracts, and only of packages to its left', () => {
    const wrong = imports.filter(({ file, name }) => {
      const target = /^@lanewatch\/([^/]+)(\/.*)?$/.exec(name);
      if (target === null) return false;
      const from = ORDER.indexOf(packageOf(file));
      const to = ORDER.indexOf(target[1] ?? '');
      const isContract = (target[2] ?? '').startsWith('/contract');
      const isLeft = packageOf(file) === 'deploy' || to < from;
      return to === -1 || !isLeft || !isContract;
    });
    expect(wrong).toEqual([]);
  });

  it('no file reaches into another package by path', () => {
    const wrong = imports.filter(({ file, name }) => {
      if (!name.startsWith('.') || MAY_REACH_IN.test(file)) return false;
      return packageOf(posix.join(posix.dirname(file), name)) !== packageOf(file);
    });
    expect(wrong).toEqual([]);
  });

  it.each(ORDER.slice(0, -1))('nothing that the contract of %s draws in imports that contract as a whole', (name) => {
    const index = `${name}/contract/index.ts`;
    const reached = new Set([index]);
    const circles: Import[] = [];
    for (const file of reached) {
      for (const { name: imported } of imports.filter((one) => one.file === file && one.name.startsWith('.'))) {
        const target = posix.join(posix.dirname(file), imported);
        if (target === index) circles.push({ file, name: imported });
        reached.add(target);
      }
    }
    expect(reached.size).toBeGreaterThan(3);
    expect(circles).toEqual([]);
  });

  it('what the browser takes from a contract needs no Node', () => {
    const { exports } = JSON.parse(read('ingest/package.json')) as { exports: Record<string, string> };
    const forBrowsers = Object.entries(exports).filter(([name]) => name !== './contract');
    expect(forBrowsers.length).toBeGreaterThan(0);
    expect(forBrowsers.flatMap(([, file]) => importsOf(read(posix.join('ingest', file))))).toEqual([]);
  });

  it('kafkajs is known to the Kafka bus alone, so that it can be replaced', () => {
    const users = new Set(imports.filter(({ name }) => name === 'kafkajs').map(({ file }) => file));
    const wrong = [...users].filter(
      (file) => !/^ingest\/src\/bus\/(kafka\/|.*\.test\.ts$)/.test(file) && !/^deploy\/bench\//.test(file),
    );
    expect(wrong).toEqual([]);
  });

  it.each([
    ['lmdb', /^ingest\/src\/bus\/embedded\//],
    ['chdb', /^deploy\/(embedded\/clickhouse|bench)\//],
    ['@electric-sql/pglite', /^query-api\/src\//],
  ])('%s is known to its own adapter alone', (library, home) => {
    const wrong = imports.filter(({ file, name }) => name === library && !home.test(file)).map(({ file }) => file);
    expect(wrong).toEqual([]);
  });

  it('the launcher uses only what Node has, because nothing else is installed yet', () => {
    const launcher = imports.filter(
      ({ file }) => file === 'deploy/run.mjs' || /^deploy\/launcher\/.*\.mjs$/.test(file),
    );
    expect(launcher.length).toBeGreaterThan(10);
    expect(launcher.filter(({ name }) => !name.startsWith('node:') && !name.startsWith('./'))).toEqual([]);
  });
});
