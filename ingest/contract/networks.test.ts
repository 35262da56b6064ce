import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileCidrs, parseCidr } from './networks.ts';

/** An IPv6 address as 128 bits, by the rules for hosts in URLs: another implementation than the one under test. */
function bitsOfIPv6(text: string): bigint {
  const host = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = '', tail] = host.split('::');
  const [first, last] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - first!.length - last!.length).fill('0');
  return [...first!, ...zeros, ...last!].reduce((bits, group) => (bits << 16n) + BigInt(`0x${group}`), 0n);
}

const bitsOfIPv4 = (text: string): bigint => text.split('.').reduce((bits, part) => (bits << 8n) + BigInt(part), 0n);

/** Family and bits of an address; IPv4-mapped IPv6 is IPv4. */
function read(text: string): { family: 4 | 6; bits: bigint } {
  if (isIP(text) === 4) return { family: 4, bits: bitsOfIPv4(text) };
  const bits = bitsOfIPv6(text);
  return bits >> 32n === 0xffffn ? { family: 4, bits: bits & 0xffff_ffffn } : { family: 6, bits };
}

/** An IPv6 address of some bits in a spelling of many that it has. */
const spelled = fc
  .tuple(
    fc.oneof(
      fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
      // Addresses near the mapped and the IPv4-compatible ones, where readers go wrong.
      fc.bigInt({ min: 0n, max: (1n << 33n) - 1n }),
      fc.bigInt({ min: 0xffff_0000_0000n, max: 0xffff_ffff_ffffn }),
    ),
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom('full', 'padded', 'dotted', 'short'),
  )
  .map(([bits, upper, , form]) => {
    const groups = Array.from({ length: 8 }, (_, index) => (bits >> BigInt(112 - index * 16)) & 0xffffn);
    const hex = groups.map((group) => group.toString(16).padStart(form === 'padded' ? 4 : 1, '0'));
    const [high, low] = [groups[6]!, groups[7]!];
    const dotted = [high >> 8n, high & 255n, low >> 8n, low & 255n].join('.');
    const text =
      form === 'dotted'
        ? [...hex.slice(0, 6), dotted].join(':')
        : form === 'short'
          ? new URL(`http://[${hex.join(':')}]/`).hostname.slice(1, -1)
          : hex.join(':');
    return upper ? text.toUpperCase() : text;
  });
const addresses = fc.oneof(fc.ipV4(), fc.ipV6(), spelled);

describe('allowed networks', () => {
  test('a network allows an address exactly where family and leading bits agree, in every spelling of both', () => {
    fc.assert(
      fc.property(addresses, fc.nat(128), addresses, fc.boolean(), (network, length, other, isNear) => {
        const isIPv4Text = isIP(network) === 4;
        const prefix = isIPv4Text ? length % 33 : length;
        const own = read(network);
        const mapped = !isIPv4Text && own.family === 4;
        fc.pre(!mapped || prefix >= 96);
        const address = isNear ? network : other;
        const asked = read(address);
        const width = own.family === 4 ? 32 : 128;
        const beyond = BigInt(width - (mapped ? prefix - 96 : prefix));
        const expected = own.family === asked.family && own.bits >> beyond === asked.bits >> beyond;
        expect(compileCidrs([`${network}/${prefix}`])(address)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '10.0.0.1', false],
    ['::/0', '::ffff:10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['10.0.0.0/8', '0:0:0:0:0:FFFF:0A00:0001', true],
    ['10.0.0.0/8', '::10.0.0.1', false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['10.0.0.0/8', '010.0.0.1', false],
    ['10.0.0.0/8', '10.1', false],
    ['127.0.0.0/8', '0x7f.0.0.1', false],
    ['10.0.0.0/8', '::ffff:010.0.0.1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'unknown', false],
    ['2001:db8::/32', '2001:0DB8:0:0::1', true],
  ])('%s and %s: %s', (cidr, address, expected) => {
    expect(compileCidrs([cidr])(address)).toBe(expected);
  });

  test('no list allows every address, and a list of mistakes allows none', () => {
    expect(compileCidrs([])('10.0.0.1')).toBe(true);
    expect(compileCidrs(['10.0.0.0/33', '10.0.0.0/8/8', 'everything'])('10.0.0.1')).toBe(false);
  });

  test('the form that is kept allows the same, and is its own form', () => {
    fc.assert(
      fc.property(addresses, fc.nat(128), fc.array(addresses), (address, length, others) => {
        const prefix = isIP(address) === 4 ? length % 33 : length;
        const typed = `${address}/${prefix}`;
        const parsed = parseCidr(typed);
        if (!parsed.ok) throw new Error(parsed.reason);
        expect(parseCidr(parsed.cidr)).toEqual(parsed);
        const [asTyped, asKept] = [compileCidrs([typed]), compileCidrs([parsed.cidr])];
        for (const other of [address, ...others]) expect(asKept(other)).toBe(asTyped(other));
      }),
    );
  });
});
