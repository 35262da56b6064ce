import type { Locale } from './calendar.ts';
import type { Random } from './random.ts';

/*
 * Where traffic comes from: networks whose country is public knowledge, so that the look-up of country and operator has something to
 * find. Addresses inside them are drawn; that one of them belongs to somebody is chance.
 */

/** A network by the first two numbers of its addresses. */
export type Prefix = `${number}.${number}`;

export interface Site extends Locale {
  name: string;
  /** The office's own address, and the one of its VPN. */
  office: string;
  vpn: string;
  /** Providers of people's homes. */
  homes: readonly Prefix[];
  mobile: Prefix;
}

export const SITES: readonly Site[] = [
  {
    name: 'berlin',
    zone: 'Europe/Berlin',
    country: 'DE',
    office: '217.110.44.18',
    vpn: '217.110.44.19',
    homes: ['87.140', '91.64', '79.216'],
    mobile: '80.187',
  },
  {
    name: 'lisbon',
    zone: 'Europe/Lisbon',
    country: 'PT',
    office: '62.28.190.6',
    vpn: '62.28.190.7',
    homes: ['85.240', '89.180', '94.132'],
    mobile: '148.71',
  },
  {
    name: 'new-york',
    zone: 'America/New_York',
    country: 'US',
    office: '38.104.50.122',
    vpn: '38.104.50.123',
    homes: ['73.10', '98.14', '108.30'],
    mobile: '172.58',
  },
  {
    name: 'london',
    zone: 'Europe/London',
    country: 'GB',
    office: '194.75.60.4',
    vpn: '194.75.60.5',
    homes: ['86.140', '90.200', '82.16'],
    mobile: '92.40',
  },
];

/** Runners of a CI provider: a fresh address of a few networks for every run. */
export const CI_NETWORKS: readonly Prefix[] = ['20.1', '20.25', '20.109', '52.170'];
/** What the organisation's own servers are seen as. */
export const CLOUD = {
  production: ['3.121.7.40', '3.121.7.41', '3.121.7.42'],
  batch: '3.121.9.88',
  staging: '3.121.12.5',
};
/** Where hotels and conferences are. */
export const ABROAD: readonly Prefix[] = ['81.36', '151.38', '90.112', '126.72', '49.195', '187.74'];
/** Rented servers, exits of anonymising services and homes far away: where leaked keys are used from. */
export const FOREIGN: readonly Prefix[] = [
  '185.220',
  '134.209',
  '51.68',
  '95.216',
  '103.152',
  '45.155',
  '171.224',
  '5.188',
];

/** An address in the network. */
export function addressIn(prefix: Prefix, random: Random): string {
  return `${prefix}.${random.int(0, 255)}.${random.int(2, 253)}`;
}
