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

/** Packages whose files are held to one direction; the pages' router of the dashboard has its own ways. */
const WITHOUT_CIRCLES = [...ORDER.filter((name) => name !== 'dashboard'), 'deploy'];

/** The file that an import names, where that is one of these packages. */
function targetOf({ file, name }: Import): string {
  if (name.startsWith('.')) return posix.join(posix.dirname(file), name);
  const [, target = '', entry = ''] = /^@lanewatch\/([^/]+)\/(.+)$/.exec(name) ?? [];
  if (!ORDER.includes(target)) return name;
  const { exports } = JSON.parse(read(`${target}/package.json`)) as { exports: Record<string, string> };
  return posix.join(target, exports[`./${entry}`] ?? '');
}

/** Groups of files of which each is reached from every other one (Tarjan's strongly connected components). */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  function visit(file: string): void {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      if (path.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = path.splice(path.indexOf(file));
    if (circle.length > 1 || graph.get(file)?.includes(file)) circles.push(circle.sort());
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}

describe('the search for circles', () => {
  it('finds each knot once, with every file in it, and nothing else', () => {
    const graph = { a: ['b'], b: ['c', 'd'], c: ['a'], d: ['e'], e: ['f'], f: ['e'], g: ['g'], h: ['a'] };
    expect(circlesIn(new Map(Object.entries(graph))).sort()).toEqual([['a', 'b', 'c'], ['e', 'f'], ['g']]);
  });
});

describe('directions of dependencies', () => {
  it('no imports draw a circle: types move down, arrows go one way', () => {
    const edges = imports.filter(({ file }) => WITHOUT_CIRCLES.includes(packageOf(file)));
    const graph = Map.groupBy(edges, ({ file }) => file);
    expect(circlesIn(new Map([...graph].map(([file, own]) => [file, own.map(targetOf)])))).toEqual([]);
  });

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
    const files = forBrowsers.map(([, file]) => posix.join('ingest', file));
    for (const file of files) {
      // Neither in itself nor in what it takes from beside it; `files` grows while it is walked.
      for (const name of importsOf(read(file)).filter((imported) => imported.startsWith('.'))) {
        const imported = posix.join(posix.dirname(file), name);
        if (!files.includes(imported)) files.push(imported);
      }
    }
    expect(files.filter((file) => importsOf(read(file)).some((name) => name.startsWith('node:')))).toEqual([]);
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
