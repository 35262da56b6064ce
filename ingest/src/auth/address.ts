import { BlockList, isIP } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i;

/** The one form of an address: an IPv4 address that came over an IPv6 socket (`::ffff:10.0.0.1`) is that IPv4 address. */
export function canonicalAddress(address: string): string {
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

/**
 * Compiles allowed ranges into a check. IPv4 and IPv6 are matched apart: `0.0.0.0/0` allows no IPv6 address.
 * An empty list allows any address; a list in which nothing is valid allows none, because a typing mistake must not
 * open the door.
 */
export function compileCidrs(cidrs: string[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => true;
  const allowed = new BlockList();
  for (const cidr of cidrs) addRange(allowed, cidr.trim());
  return (address) => {
    const canonical = canonicalAddress(address);
    const family = isIP(canonical);
    return family !== 0 && allowed.check(canonical, family === 4 ? 'ipv4' : 'ipv6');
  };
}

function addRange(allowed: BlockList, cidr: string): void {
  const [address = '', bits] = cidr.split('/');
  const family = isIP(address);
  if (family === 0) return;
  const widest = family === 4 ? 32 : 128;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return;
  const prefix = bits === undefined ? widest : Number(bits);
  if (prefix > widest) return;
  allowed.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
}
