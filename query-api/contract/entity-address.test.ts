import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentOf, valueOfSegment } from './entity-address.ts';

describe('segmentOf', () => {
  it.each([
    ['ada@example.org', 'ada%40example.org'],
    ['', '~'],
    ['..', '~..'],
    ['.', '~.'],
    ['~', '~~'],
    ['a/b?c#d', 'a%2Fb%3Fc%23d'],
  ])('writes %j as %s', (value, segment) => {
    expect(segmentOf(value)).toBe(segment);
  });

  it('is one segment of the same page whatever the value, and the value comes back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '.', '..', '~', '~..')), (value) => {
        const { pathname } = new URL(`http://host/users/${segmentOf(value)}`);
        const [, page, segment, ...more] = pathname.split('/');
        expect([page, more]).toEqual(['users', []]);
        expect(valueOfSegment(decodeURIComponent(segment ?? ''))).toBe(value.toWellFormed());
      }),
    );
  });
});
