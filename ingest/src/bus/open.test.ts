import { describe, expect, it } from 'vitest';
import { openBus, parseKafkaUrl } from './open.ts';

describe('bus URLs', () => {
  it('takes several brokers and fills in the port', () => {
    expect(parseKafkaUrl('kafka://a:1,b,c:3')).toEqual({ brokers: ['a:1', 'b:9092', 'c:3'], ssl: false });
  });

  it('takes TLS, mechanism and escaped credentials', () => {
    expect(parseKafkaUrl('kafka://user%40org:p%3Aa%2Fss@host:9093?ssl=true&sasl=SCRAM-SHA-512')).toEqual({
      brokers: ['host:9093'],
      ssl: true,
      sasl: { mechanism: 'scram-sha-512', username: 'user@org', password: 'p:a/ss' },
    });
  });

  it('takes plain where only credentials are given, and an authority for TLS', () => {
    expect(parseKafkaUrl('kafka://u:p@host:1?ssl=true&ca=/etc/kafka/ca.pem')).toEqual({
      brokers: ['host:1'],
      ssl: true,
      caFile: '/etc/kafka/ca.pem',
      sasl: { mechanism: 'plain', username: 'u', password: 'p' },
    });
  });

  it.each([
    ['kafka://', /looks like/],
    ['kafka://host?tls=true', /no parameter "tls"/],
    ['kafka://host?ssl=yes', /true or false/],
    ['kafka://u:p@host?sasl=gssapi', /one of plain/],
    ['kafka://host?sasl=plain', /needs user:password/],
    ['kafka://user@host', /needs user:password/],
    ['kafka://user:@host', /needs user:password/],
    ['kafka://user:50%@host', /percent-encoded/],
    ['kafka://host?ca=/ca.pem', /goes with ssl=true/],
    ['kafka://host?ssl=true&ca=ca.pem', /absolute path/],
  ])('says what is wrong with %s', (url, message) => {
    expect(() => parseKafkaUrl(url)).toThrow(message);
  });

  it('never repeats the password in an error', () => {
    expect(() => parseKafkaUrl('kafka://user:hunter2@host?sasl=nope')).toThrow(expect.not.stringContaining('hunter2'));
  });

  it('says which certificate can not be read', async () => {
    await expect(openBus('kafka://host?ssl=true&ca=/nowhere/ca.pem')).rejects.toThrow(
      /can't be read.*\/nowhere\/ca.pem/,
    );
  });

  it('refuses other schemes and relative directories', async () => {
    await expect(openBus('amqp://host')).rejects.toThrow(/kafka:\/\/ or lmdb:/);
    await expect(openBus('lmdb:data')).rejects.toThrow(/absolute directory/);
  });
});
