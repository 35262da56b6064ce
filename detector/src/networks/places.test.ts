import { describe, expect, test } from 'vitest';
import { distanceKm } from './distance.ts';
import { openPlaces } from './places.ts';

const places = openPlaces({ geoFile: '', asnFile: '' });

describe('places of addresses', () => {
  test('the country comes from the data that is there by default, the network is the range where none is named', () => {
    expect(places.of('217.110.44.18')).toMatchObject({ country: 'DE', network: '217.110.0.0/16' });
    expect(places.of('2001:4860:4860::8888')).toMatchObject({ country: 'US', network: '2001:4860::/32' });
  });

  test.each(['10.1.2.3', '192.168.0.1', '127.0.0.1', 'fd00::1', '::ffff:10.0.0.1', 'localhost', ''])(
    '%s is nowhere, so it never travels',
    (ip) => {
      expect(places.of(ip)).toBeNull();
    },
  );

  test('two countries are as far apart as their borders, so neighbours are not', () => {
    const [berlin, newYork, paris] = ['217.110.44.18', '38.104.50.122', '90.112.0.1'].map((ip) => places.of(ip)!);
    expect(distanceKm(berlin!, newYork!)).toBeGreaterThan(3_000);
    expect(distanceKm(berlin!, paris!)).toBeLessThan(500);
  });

  test('a file that is no database is refused at start', () => {
    expect(() => openPlaces({ geoFile: import.meta.filename, asnFile: '' })).toThrow(/MaxMind|MMDB|metadata/i);
  });
});
