import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChainHead } from '../../contract/index.ts';
import { canonicalJson } from './canonical-json.ts';
import { CHAIN_START, entryOf, hashOf, itemOf, sealed, walkChain } from './chain.ts';
import type { StoredEntry } from './chain.ts';

function trailOf(actors: string[]): StoredEntry[] {
  let head: ChainHead = CHAIN_START;
  return actors.map((actor) => {
    const row = sealed(
      {
        ...{ at: '2026-11-28T00:00:00.000Z', actor, action: 'edited', credential_id: 'c1', detail: '' },
        ...{
          subject: { kind: 'credential', id: 'c1' },
          changes: [{ field: 'name', before: { b: 1, a: [2] }, after: null }],
        },
      },
      head,
    );
    head = { seq: row.seq, hash: row.hash };
    return row;
  });
}

function faultOf(rows: StoredEntry[], known: ChainHead[] = []): { seq: number; reason: string } | null {
  const walk = walkChain(known);
  for (const row of rows) {
    const broken = walk.next(row);
    if (broken !== null) return broken;
  }
  return walk.end();
}

const anyTrail = fc.array(fc.string({ unit: 'binary' }), { minLength: 3, maxLength: 12 }).map(trailOf);
const anyTamper = fc.tuple(anyTrail, fc.nat());

describe('the chain of the trail', () => {
  test('a trail as it was written holds, and an item gives back the text that was hashed', () => {
    fc.assert(
      fc.property(anyTrail, (rows) => {
        expect(faultOf(rows, [rows.at(-1)!, rows[1]!])).toBeNull();
        for (const row of rows) expect(entryOf(itemOf(row))).toBe(row.entry);
      }),
    );
  });

  test('a changed, removed, inserted or moved row is found at its place, also when its own hash was made anew', () => {
    fc.assert(
      fc.property(anyTamper, fc.constantFrom('change', 'rehash', 'delete', 'insert', 'swap'), ([rows, pick], act) => {
        const at = pick % (rows.length - 1);
        const row = rows[at]!;
        const entry = row.entry.replace('"action":"edited"', '"action":"viewed"');
        const tampered = {
          change: () => rows.with(at, { ...row, entry }),
          rehash: () => rows.with(at, { ...row, entry, hash: hashOf(entry) }),
          delete: () => rows.toSpliced(at, 1),
          insert: () => rows.toSpliced(at, 0, { ...row }).map((one, index) => ({ ...one, seq: index + 1 })),
          swap: () => rows.with(at, { ...rows[at + 1]!, seq: row.seq }).with(at + 1, { ...row, seq: row.seq + 1 }),
        }[act]();
        const found = faultOf(tampered);
        expect(found?.seq).toBeGreaterThanOrEqual(row.seq);
        expect(found?.seq).toBeLessThanOrEqual(row.seq + 1);
        expect(found?.reason).toContain(`row ${found?.seq}`);
      }),
    );
  });

  test('a tail that was cut off, or written anew, is found by a place that somebody has written down', () => {
    fc.assert(
      fc.property(anyTamper, ([rows, pick]) => {
        const cut = pick % rows.length;
        expect(faultOf(rows.slice(0, cut))).toBeNull();
        expect(faultOf(rows.slice(0, cut), [rows.at(-1)!])?.seq).toBe(cut + 1);
        const anew = trailOf(rows.map(() => 'somebody else, from the start'));
        expect(faultOf(anew, [rows.at(-1)!])?.seq).toBe(rows.length);
      }),
    );
  });
});

test('canonical JSON is one text for one value, whatever the order of its names', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
  expect(canonicalJson({ b: 1, a: { d: [2, { z: 1, y: 2 }], c: undefined } })).toBe(
    '{"a":{"d":[2,{"y":2,"z":1}]},"b":1}',
  );
});
