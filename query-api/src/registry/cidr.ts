import { isIP } from 'node:net';

const BITS = { 4: 32, 6: 128 } as const;

/**
 * Checks an allowed network: `10.0.0.0/8`, `2001:db8::/32`, or one address, which gets its full length.
 * @returns the network in its one CIDR form, without bits beyond its prefix (`10.1.2.3/8` is `10.0.0.0/8`), or why it is none
 */
export function parseCidr(text: string): { ok: true; cidr: string } | { ok: false; reason: string } {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || address.includes('%') || rest.length > 0) {
    return { ok: false, reason: 'must be an IPv4 or IPv6 network such as 10.0.0.0/8 or 2001:db8::/32' };
  }
  const bits = BITS[version];
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || Number(length) > bits)) {
    return { ok: false, reason: `must have a prefix length from 0 to ${bits}` };
  }
  const prefix = length === undefined ? bits : Number(length);
  return {
    ok: true,
    cidr: `${version === 4 ? networkOfIPv4(address, prefix) : networkOfIPv6(address, prefix)}/${prefix}`,
  };
}

function networkOfIPv4(address: string, prefix: number): string {
  return masked(address.split('.').map(Number), 8, prefix).join('.');
}

function networkOfIPv6(address: string, prefix: number): string {
  const [head = '', tail] = canonicalIPv6(address).split('::');
  const [first, last] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - first!.length - last!.length).fill('0');
  const groups = [...first!, ...zeros, ...last!].map((group) => parseInt(group, 16));
  return canonicalIPv6(
    masked(groups, 16, prefix)
      .map((group) => group.toString(16))
      .join(':'),
  );
}

/** The shortest form in lower case, by the rules for hosts in URLs; an IPv4 address at the end becomes hex like the rest. */
function canonicalIPv6(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

/** The parts of an address, each of `width` bits, without what is beyond the prefix. */
function masked(parts: number[], width: number, prefix: number): number[] {
  return parts.map((part, index) => {
    const hostBits = width - Math.min(width, Math.max(0, prefix - index * width));
    return (part >> hostBits) << hostBits;
  });
}
