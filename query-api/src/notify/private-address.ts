import { BlockList, isIP } from 'node:net';

/** Addresses that are nobody's on the internet: own host, private, link-local (cloud metadata among them), shared, multicast, reserved. */
const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv4');
/** Of IPv6 everything outside global unicast, and of that what carries an IPv4 address in it or is for documentation. */
const GLOBAL_V6 = new BlockList();
GLOBAL_V6.addSubnet('2000::', 3, 'ipv6');
const NOT_GLOBAL_V6 = new BlockList();
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const)
  NOT_GLOBAL_V6.addSubnet(net, bits, 'ipv6');

/** Whether an address may not be sent to: private or reserved, or none that can be read. Pure. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPrivateAddress(mapped);
  switch (isIP(address)) {
    case 4:
      return PRIVATE.check(address, 'ipv4');
    case 6:
      return !GLOBAL_V6.check(address, 'ipv6') || NOT_GLOBAL_V6.check(address, 'ipv6');
    default:
      return true;
  }
}
