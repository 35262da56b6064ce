import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayShipEvents } from './credential-record.ts';
import { ACTIONS_ASKED, resourceFilterFault, SCOPE_ACTIONS, scopeAllows } from './scope.ts';

const allows = (resource: string, asked: string) => scopeAllows([{ action: 'read', resource }], 'read', asked);

/** Segments that are much alike, so that filters and resources meet often. */
const segment = fc.stringMatching(/^[aA]?[b1]?[-_.~:@+=]?c?$/).filter((text) => !['', '.', '..'].includes(text));
const path = fc.array(segment, { minLength: 1, maxLength: 4 });
const filter = fc
  .tuple(
    fc.array(fc.oneof(segment, fc.constant('*')), { maxLength: 3 }),
    fc.oneof(
      segment,
      fc.constant('*'),
      segment.map((text) => `${text}*`),
    ),
  )
  .map(([first, last]) => [...first, last].join('/'));
/** What somebody tries who wants to get past a filter. */
const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(
      fc.constantFrom('a', '..', '.', '', '%2f', '%2e%2e', '*', '\\', '/', 'a/', ' ', '\u0000', 'Ａ', '?', '#', ';'),
      { maxLength: 6 },
    )
    .map((parts) => parts.join('/')),
);

describe('resource filters', () => {
  test('a filter allows nothing outside it: what it allows begins with its segments, and * stands for them in the middle', () => {
    fc.assert(
      fc.property(
        filter,
        fc.oneof(
          path.map((segments) => segments.join('/')),
          anything,
        ),
        (text, asked) => {
          if (!allows(text, asked)) return;
          const [wanted, got] = [text.split('/'), asked.replace(/^\//, '').split('/')];
          const last = wanted.at(-1)!;
          for (const [index, part] of wanted.slice(0, -1).entries())
            expect([part, '*']).toContain(part === '*' ? '*' : got[index]);
          if (!last.endsWith('*')) {
            expect(got).toHaveLength(wanted.length);
            expect(got.at(-1)).toBe(last);
          } else expect(got[wanted.length - 1]!.startsWith(last.slice(0, -1))).toBe(true);
          expect(got.every((part) => /^[\w.~:@+=-]+$/.test(part) && part !== '.' && part !== '..')).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a path without * allows itself and nothing else', () => {
    fc.assert(
      fc.property(
        path,
        fc.oneof(
          path.map((segments) => segments.join('/')),
          anything,
        ),
        (own, asked) => {
          const text = own.join('/');
          expect(allows(text, text)).toBe(true);
          expect(allows(text, asked)).toBe(asked === text || asked === `/${text}`);
        },
      ),
    );
  });

  test.each([
    ['*', 'runs', true],
    ['*', 'runs/r_81/replay', true],
    ['/*', 'runs', true],
    ['runs/*', 'runs', false],
    ['runs/*', 'runs/', false],
    ['runs/*', 'runs/a/b', true],
    ['runs/*/replay', 'runs/r_81/replay', true],
    ['runs/*/replay', 'runs/replay', false],
    ['runs/*/replay', 'runs/a/b/replay', false],
    ['runs/r_8*', 'runs/r_81/replay', true],
    ['runs/r_8*', 'runs/r_91', false],
    ['runs/*', 'runs/../admin', false],
    ['runs/*', 'runs/%2e%2e/admin', false],
    ['runs/*', 'runs%2fa', false],
    ['runs/*', 'runs//a', false],
    ['runs/*', 'runs\\a', false],
    ['runs/*', 'Runs/a', false],
    ['*', '', false],
    ['*', '*', false],
    ['*', 'runs/*', false],
    ['', 'runs', false],
    ['ru*s', 'runs', false],
    ['runs*/a', 'runs/a', false],
    ['runs/..*', 'runs/..a', false],
  ])('%s and %s: %s', (text, asked, expected) => {
    expect(allows(text, asked)).toBe(expected);
  });

  test('a filter that is refused where it is typed allows nothing, and one that is taken allows something', () => {
    fc.assert(
      fc.property(fc.oneof(filter, anything), path, (text, own) => {
        const example = text
          .replace(/^\//, '')
          .split('/')
          .map((part) => (part === '*' ? own[0] : part.replace(/\*$/, '')))
          .join('/');
        expect(allows(text, example)).toBe(resourceFilterFault(text) === null);
      }),
    );
  });
});

test('an action is granted by itself, by * and by admin, and by nothing else', () => {
  for (const granted of SCOPE_ACTIONS) {
    for (const asked of ACTIONS_ASKED) {
      const expected = granted === asked || granted === '*' || granted === 'admin';
      expect(scopeAllows([{ action: granted, resource: 'runs' }], asked, 'runs'), `${granted} for ${asked}`).toBe(
        expected,
      );
    }
  }
  expect(scopeAllows([], 'read', 'runs')).toBe(false);
});

test('only keys of ours ship events, by any scope that allows writing them', () => {
  const scopes = [{ action: 'write' as const, resource: 'usage-*' }];
  expect(mayShipEvents({ kind: 'managed', scopes })).toBe(true);
  expect(mayShipEvents({ kind: 'registered', scopes })).toBe(false);
  expect(mayShipEvents({ kind: 'managed', scopes: [{ action: 'write', resource: 'usage' }] })).toBe(false);
});
