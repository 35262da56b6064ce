import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findJsonFault } from './json-error.ts';
import { concatenatedJsonValues, jsonLines, jsonValues } from './json-values.ts';

const container = fc.jsonValue({ maxDepth: 4 }).map((value) => ({ value }));
const parses = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('reading several JSON values', () => {
  test('objects in a row come back as JSON.parse reads each, whatever stands between them', () => {
    const separator = fc.constantFrom('', ' ', '\n', '\r\n', '\t\n ');
    fc.assert(
      fc.property(fc.array(container, { minLength: 1 }), separator, fc.boolean(), (values, between, pretty) => {
        const text = values.map((value) => JSON.stringify(value, null, pretty ? 2 : 0)).join(between);
        const expected = values.map((value) => ({ ok: true, value: JSON.parse(JSON.stringify(value)) as unknown }));
        expect([...concatenatedJsonValues(text)]).toEqual(expected);
        const read = jsonValues(text);
        expect(read.ok && [...read.values]).toEqual(expected);
      }),
    );
  });

  test('a body of nothing but line breaks takes no longer than it takes to look at it', () => {
    const text = `${'\n'.repeat(20_000_000)}{"a":1} x`;
    expect([...jsonLines(text)]).toEqual([
      { ok: true, value: { a: 1 } },
      {
        ok: false,
        message: expect.stringMatching(/^not valid JSON at line 20000001, column 9 \(offset 20000008\): /) as string,
      },
    ]);
  });

  test('any values on lines come back as JSON.parse reads each', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const text = values.map((value) => JSON.stringify(value)).join('\n');
        expect([...jsonLines(text)]).toEqual(
          values.map((value) => ({ ok: true, value: JSON.parse(JSON.stringify(value)) as unknown })),
        );
      }),
    );
  });

  test('a text full of broken values ends after ten, so that it cannot take quadratic time', () => {
    const values = [...concatenatedJsonValues('{"a\n'.repeat(1_000))];
    expect(values.length).toBeLessThanOrEqual(11);
    expect(values.every(({ ok }) => !ok)).toBe(true);
  });
});

describe('finding where JSON breaks', () => {
  const fragment = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    'a',
    '\\',
    '1',
    '-',
    '.',
    'e',
    'true',
    'null',
    ' ',
    '\n',
    '\\u12',
    '\u0001',
    '"k":',
  );

  test('a text has a fault exactly when JSON.parse refuses it', () => {
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join('')),
        (text) => {
          expect(findJsonFault(text) === null).toBe(parses(text));
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(fc.json(), (text) => findJsonFault(text) === null));
  });

  test('everything before the fault could still become JSON: the offset is never behind a valid text cut there', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, at) => {
        const cut = text.slice(0, at % (text.length + 1));
        const fault = findJsonFault(cut);
        if (fault !== null) expect(fault.offset).toBeLessThanOrEqual(cut.length);
      }),
    );
  });

  test('a million open brackets and a text of ten million characters need no stack', () => {
    expect(findJsonFault('['.repeat(1_000_000))).toMatchObject({ offset: 1_000_000 });
    expect(findJsonFault(`["${'a'.repeat(10_000_000)}`)).toMatchObject({ offset: 1 });
  });
});
