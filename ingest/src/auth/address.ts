import { BlockList, isIP } from 'node:net';
import { canonicalAddress } from '../normalise/canonical/address.ts';

/**
 * Compiles allowed ranges into a check. IPv4 and IPv6 are matched apart: `0.0.0.0/0` allows no IPv6 address.
 * An empty list allows any address; a list in which nothing is valid allows none, because a typing mistake must not
 * open the door.
 */
export function compileCidrs(cidrs: string[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => true;
  // Two lists, because one BlockList takes IPv4 addresses for IPv6 ones, so that ::/0 would allow them all.
  const allowed = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) addRange(allowed, cidr.trim());
  return (address) => {
    const canonical = canonicalAddress(address);
    const family = familyOf(canonical);
    return family !== null && allowed[family].check(canonical, family);
  };
}

type Family = 'ipv4' | 'ipv6';

function familyOf(address: string): Family | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}

function addRange(allowed: Record<Family, BlockList>, cidr: string): void {
  const [address = '', bits] = cidr.split('/');
  const family = familyOf(address);
  if (family === null) return;
  const widest = family === 'ipv4' ? 32 : 128;
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return;
  const prefix = bits === undefined ? widest : Number(bits);
  if (prefix > widest) return;
  allowed[family].addSubnet(address, prefix, family);
}
