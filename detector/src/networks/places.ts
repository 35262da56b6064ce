import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { Reader, type AsnResponse, type CityResponse, type Response } from 'maxmind';
import { compileCidrs } from '@lanewatch/ingest/contract';

/** Where an address is, as far as the databases tell. */
export interface Place {
  /** Two letters of ISO 3166, upper case; '' when unknown. */
  country: string;
  /** Number and name of its network, such as `AS3320 Deutsche Telekom AG`; the range it lies in where no database names it. */
  network: string;
  /** Degrees, where the database has them; else null. */
  latitude: number | null;
  longitude: number | null;
}

/** Tells places of addresses. */
export interface Places {
  /** Where an address is; null for private ones and those that no database knows. The same object for the same address. */
  of(ip: string): Place | null;
}

/** Databases in MaxMind's format, as the operator names them; '' for none. */
export interface PlaceFiles {
  /** Countries or cities; the one that comes with the package when nothing is named. */
  geoFile: string;
  /** Autonomous systems. */
  asnFile: string;
}

/** Networks that lie nowhere: private, shared, loopback, link-local, documentation. */
const PRIVATE = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '0.0.0.0/8'],
  ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '::1/128', 'fc00::/7', 'fe80::/10', '2001:db8::/32'],
];

const CACHED_MAX = 100_000;

/** Places of nothing: for detectors without rules. */
export const NOWHERE: Places = { of: () => null };

/**
 * Opens the databases and remembers what they say of each address.
 * @throws Error when a file can't be read or is no such database
 */
export function openPlaces({ geoFile, asnFile }: PlaceFiles): Places {
  const geo = readDatabase<CityResponse & { country_code?: string }>(
    geoFile === ''
      ? createRequire(import.meta.url).resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb')
      : geoFile,
  );
  const asn = asnFile === '' ? null : readDatabase<AsnResponse>(asnFile);
  return placesOf((ip) => {
    const found = geo.get(ip);
    const system = asn?.get(ip) ?? null;
    return {
      country: found?.country?.iso_code ?? found?.country_code ?? '',
      network: system === null ? rangeOf(ip) : nameOf(system),
      latitude: found?.location?.latitude ?? null,
      longitude: found?.location?.longitude ?? null,
    };
  });
}

function nameOf({ autonomous_system_number, autonomous_system_organization = '' }: AsnResponse): string {
  return `AS${autonomous_system_number} ${autonomous_system_organization}`.trim();
}

/** The /16 of an IPv4 address, the /32 of an IPv6 one: what a provider has at least, mostly. */
function rangeOf(ip: string): string {
  if (!ip.includes(':')) return `${ip.split('.', 2).join('.')}.0.0/16`;
  const [first = '0', second = ''] = ip.toLowerCase().split(':', 2);
  return `${first}:${second === '' ? '0' : second}::/32`;
}

/** Places by a look-up of one's own, for public addresses alone; it is asked once for each while it is remembered. */
export function placesOf(lookUp: (ip: string) => Place): Places {
  const isPrivate = compileCidrs(PRIVATE);
  const cached = new Map<string, Place | null>();
  return {
    of(ip) {
      const held = cached.get(ip);
      if (held !== undefined) return held;
      if (cached.size >= CACHED_MAX) cached.clear();
      const place = isIP(ip) === 0 || isPrivate(ip) ? null : lookUp(ip);
      cached.set(ip, place);
      return place;
    },
  };
}

function readDatabase<Answer extends Response>(file: string): Reader<Answer> {
  const bytes = readFileSync(file);
  try {
    return new Reader<Answer>(bytes);
  } catch (error) {
    throw new Error(`${file} is no database in MaxMind’s format`, { cause: error });
  }
}
