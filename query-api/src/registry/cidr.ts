import { isIP } from 'node:net';

const BITS = { 4: 32, 6: 128 } as const;

/**
 * Checks an allowed network: `10.0.0.0/8`, `2001:db8::/32`, or one address, which gets its full length.
 * @returns the network in CIDR form, or why it is none
 */
export function parseCidr(text: string): { ok: true; cidr: string } | { ok: false; reason: string } {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || address.includes('%') || rest.length > 0) {
    return { ok: false, reason: 'must be an IPv4 or IPv6 network such as 10.0.0.0/8 or 2001:db8::/32' };
  }
  const bits = BITS[version];
  if (length === undefined) return { ok: true, cidr: `${address.toLowerCase()}/${bits}` };
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) {
    return { ok: false, reason: `must have a prefix length from 0 to ${bits}` };
  }
  return { ok: true, cidr: `${address.toLowerCase()}/${Number(length)}` };
}
