import { countryCodeToLocation } from '@basementuniverse/country-code-location';
import type { Place } from './places.ts';

/** How far the middle of a country is from its borders, kilometres, where that is more than of most. */
const RADII: Record<string, number> = {
  ...{ RU: 4_000, CA: 2_700, US: 2_600, CN: 2_300, BR: 2_200, AU: 2_100, ID: 2_500, IN: 1_600, AR: 1_800, KZ: 1_500 },
  ...{ CL: 2_100, GL: 1_300, DZ: 1_200, CD: 1_200, SA: 1_100, MX: 1_600, SD: 1_000, LY: 1_000, IR: 1_100, MN: 1_200 },
  ...{
    NO: 900,
    SE: 800,
    JP: 1_500,
    NZ: 1_000,
    PE: 1_000,
    VN: 900,
    TR: 900,
    UA: 700,
    FR: 600,
    ES: 600,
    PH: 900,
    MY: 1_000,
  },
};
const RADIUS_DEFAULT = 450;
const EARTH_KM = 6_371;

/** Kilometres between two places at least: between points where they are known, else between the borders of two countries. */
export function distanceKm(from: Place, to: Place): number {
  if (from.latitude !== null && from.longitude !== null && to.latitude !== null && to.longitude !== null)
    return betweenPoints(from.latitude, from.longitude, to.latitude, to.longitude);
  if (from.country === to.country) return 0;
  const start = countryCodeToLocation(from.country);
  const end = countryCodeToLocation(to.country);
  if (start === undefined || end === undefined) return 0;
  const middles = betweenPoints(start.lat, start.long, end.lat, end.long);
  return Math.max(0, middles - radiusOf(from.country) - radiusOf(to.country));
}

/** A place in words: its country, its network if that is known, its address. */
export function placeName({ country, network }: Place, ip: string): string {
  const named = countryCodeToLocation(country)?.country ?? country;
  return [named, [network, ip].filter((part) => part !== '').join(', ')].filter((part) => part !== '').join(' (') + ')';
}

function radiusOf(country: string): number {
  return RADII[country] ?? RADIUS_DEFAULT;
}

/** Along a great circle. */
function betweenPoints(lat1: number, long1: number, lat2: number, long2: number): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const haversine =
    Math.sin(radians(lat2 - lat1) / 2) ** 2 +
    Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * Math.sin(radians(long2 - long1) / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(haversine)));
}
