import { isIP } from 'node:net';

const MAPPED_IPV4 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;
/** As some proxies write it (Azure's gateways, IIS): `10.0.0.1:50432`, `[fd00::1]:50432`; also brackets alone. */
const WITH_PORT = /^(?:(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}|\[([^\]]*)\](?::\d{1,5})?)$/;
/** One address in the notation of networks, as databases print it. */
const AS_NETWORK = /^(?:([^/:]+)\/32|([^/]+:[^/]*)\/128)$/;

/**
 * The one form of an address, so that one machine is one endpoint: without port, brackets and zone, IPv6 as RFC 5952 writes it, and an
 * IPv4 address that came over an IPv6 socket (`::ffff:10.0.0.1`) as that IPv4 address. What is no address stays as it is.
 */
export function canonicalAddress(address: string): string {
  const trimmed = address.trim();
  const bare = withoutDress(trimmed);
  const version = isIP(bare);
  if (version === 4) return bare;
  if (version === 0) return trimmed;
  const zone = bare.indexOf('%');
  const written = shortest(zone === -1 ? bare : bare.slice(0, zone));
  const mapped = MAPPED_IPV4.exec(written);
  if (mapped === null) return written;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function withoutDress(address: string): string {
  const withPort = WITH_PORT.exec(address);
  if (withPort !== null) return withPort[1] ?? withPort[2]!;
  const network = AS_NETWORK.exec(address);
  return network === null ? address : (network[1] ?? network[2]!);
}

/** The serialisation of URLs is that of RFC 5952, but for IPv4 inside, which it writes in hexadecimal, too. */
const shortest = (ipv6: string) => new URL(`http://[${ipv6}]/`).hostname.slice(1, -1);
