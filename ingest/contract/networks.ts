import ipaddr from 'ipaddr.js';

/** Allowed networks, IPv4 and IPv6 apart. Pure work without Node imports: forms check networks in the browser. */

const IPV4_BITS = 32;
const IPV6_BITS = 128;
/** Where the IPv4 address begins in an IPv4-mapped IPv6 one. */
const MAPPED_BITS = IPV6_BITS - IPV4_BITS;

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * One address in any spelling; null when it is none. IPv4 is four decimal numbers: `010.0.0.1` and `127.1` mean different things to
 * different readers.
 */
function parseAddress(text: string): Address | null {
  if (!text.includes(':')) return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : null;
  const spelled = withoutDottedEnd(text);
  return spelled !== null && ipaddr.IPv6.isValid(spelled) ? ipaddr.IPv6.parse(spelled) : null;
}

/**
 * An IPv6 address with its dotted end in hex groups; null when that end is no IPv4 address. The library reads such an end by rules of its
 * own: it takes `::10.0.0.1` for the mapped `::ffff:10.0.0.1`, and numbers that begin with a zero.
 */
function withoutDottedEnd(text: string): string | null {
  if (!text.includes('.')) return text;
  const at = text.lastIndexOf(':') + 1;
  const end = text.slice(at);
  if (!ipaddr.IPv4.isValidFourPartDecimal(end)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(end).octets;
  return `${text.slice(0, at)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** An IPv4 address that came in IPv6 clothes is that IPv4 address. */
function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

interface Network {
  address: Address;
  prefix: number;
}

type Parsed = { ok: true; network: Network } | { ok: false; reason: string };

function parseNetwork(text: string): Parsed {
  const [bare = '', length, ...rest] = text.trim().split('/');
  const address = bare.includes('%') || rest.length > 0 ? null : parseAddress(bare);
  if (address === null) {
    return { ok: false, reason: 'must be an IPv4 or IPv6 network such as 10.0.0.0/8 or 2001:db8::/32' };
  }
  const bits = address.kind() === 'ipv4' ? IPV4_BITS : IPV6_BITS;
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || Number(length) > bits)) {
    return { ok: false, reason: `must have a prefix length from 0 to ${bits}` };
  }
  const prefix = length === undefined ? bits : Number(length);
  const plain = prefix >= MAPPED_BITS ? unmapped(address) : address;
  return { ok: true, network: { address: plain, prefix: plain === address ? prefix : prefix - MAPPED_BITS } };
}

/**
 * Checks an allowed network: `10.0.0.0/8`, `2001:db8::/32`, or one address, which gets its full length.
 * @returns the network in its one CIDR form, without bits beyond its prefix (`10.1.2.3/8` is `10.0.0.0/8`) and with IPv4-mapped IPv6
 * as IPv4, or why it is none
 */
export function parseCidr(text: string): { ok: true; cidr: string } | { ok: false; reason: string } {
  const parsed = parseNetwork(text);
  if (!parsed.ok) return parsed;
  const { address, prefix } = parsed.network;
  const bytes = address.toByteArray().map((byte, index) => {
    const hostBits = 8 - Math.min(8, Math.max(0, prefix - index * 8));
    return (byte >> hostBits) << hostBits;
  });
  return { ok: true, cidr: `${ipaddr.fromByteArray(bytes).toString()}/${prefix}` };
}

/** Whether a network in CIDR form is every address of its version. */
export function isAnyNetwork(cidr: string): boolean {
  return cidr.endsWith('/0');
}

/**
 * Compiles allowed networks into a check. IPv4 and IPv6 are matched apart: `0.0.0.0/0` allows no IPv6 address and `::/0` no IPv4 one,
 * in whatever form it comes. An empty list allows any address; a list in which nothing is valid allows none, because a typing mistake
 * must not open the door.
 */
export function compileCidrs(cidrs: readonly string[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => true;
  const networks = cidrs.flatMap((cidr) => {
    const parsed = parseNetwork(cidr);
    return parsed.ok ? [parsed.network] : [];
  });
  return (text) => {
    const parsed = parseAddress(text);
    if (parsed === null) return false;
    const address = unmapped(parsed);
    return networks.some(
      (network) => network.address.kind() === address.kind() && address.match(network.address, network.prefix),
    );
  };
}
