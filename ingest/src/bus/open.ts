import type { Bus } from '../../contract/bus.ts';
import type { KafkaConnection, OpenBusOptions, SaslMechanism } from './options.ts';

const SASL_MECHANISMS: SaslMechanism[] = ['plain', 'scram-sha-256', 'scram-sha-512'];
const KAFKA_PORT = 9092;

/**
 * Opens the message bus that a URL names; nothing is connected yet, so a broker that is down now does not fail it.
 * @param url `kafka://[user:password@]host:port[,host:port…][?ssl=true&ca=/file.pem&sasl=plain|scram-sha-256|scram-sha-512]`
 *   or `lmdb:/absolute/directory`. With user and password the mechanism is plain unless it is named. `ca` is for brokers whose
 *   certificates an authority signed that the system does not know.
 * @throws Error with one sentence about what is wrong with the URL; never with the password in it
 */
export async function openBus(url: string, options: OpenBusOptions = {}): Promise<Bus> {
  const place = parseBusUrl(url);
  if (place.kind === 'kafka') {
    const { openKafkaBus } = await import('./kafka/adapter.ts');
    return openKafkaBus(place.connection, options);
  }
  const { openEmbeddedBus } = await import('./embedded/adapter.ts');
  return openEmbeddedBus(place.directory, options);
}

/** Where a bus is, by its URL. */
type BusPlace = { kind: 'kafka'; connection: KafkaConnection } | { kind: 'embedded'; directory: string };

/**
 * Reads the URL of a bus without opening it.
 * @throws Error with one sentence about what is wrong with it; never with the password in it
 */
export function parseBusUrl(url: string): BusPlace {
  if (url.startsWith('kafka://')) return { kind: 'kafka', connection: parseKafkaUrl(url) };
  if (url.startsWith('lmdb:')) {
    const directory = url.slice('lmdb:'.length).replace(/^\/\/(?=\/)/, '');
    if (directory.startsWith('/')) return { kind: 'embedded', directory };
    throw new Error('A bus URL "lmdb:" needs an absolute directory, such as lmdb:/var/lib/lanewatch/bus.');
  }
  throw new Error(
    'A bus URL begins with kafka:// or lmdb:/, such as kafka://127.0.0.1:9092 or lmdb:/var/lib/lanewatch/bus.',
  );
}

/** Takes a `kafka://` URL apart; several hosts are allowed, which the URL class would refuse. */
export function parseKafkaUrl(url: string): KafkaConnection {
  const parts = /^kafka:\/\/(?:([^@/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/.exec(url);
  if (!parts)
    throw new Error('A kafka:// URL looks like kafka://[user:password@]host:port,host:port[?ssl=true&sasl=plain].');
  const [, credentials, hosts = '', query = ''] = parts;
  const brokers = hosts
    .split(',')
    .filter((host) => host !== '')
    .map((host) => (/:\d+$/.test(host) ? host : `${host}:${KAFKA_PORT}`));
  if (brokers.length === 0) throw new Error('A kafka:// URL names at least one broker.');

  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys())
    if (!['ssl', 'ca', 'sasl'].includes(name))
      throw new Error(`A kafka:// URL has no parameter "${name}"; it knows ssl, ca and sasl.`);
  const ssl = parameters.get('ssl') ?? 'false';
  if (ssl !== 'true' && ssl !== 'false') throw new Error('The parameter ssl of a kafka:// URL is true or false.');

  const caFile = parameters.get('ca');
  if (caFile !== null && (ssl === 'false' || !caFile.startsWith('/')))
    throw new Error('The parameter ca of a kafka:// URL is an absolute path and goes with ssl=true.');
  const transport = { brokers, ssl: ssl === 'true', ...(caFile === null ? {} : { caFile }) };

  const named = parameters.get('sasl')?.toLowerCase();
  if (credentials === undefined && named === undefined) return transport;
  const mechanism = SASL_MECHANISMS.find((name) => name === (named ?? 'plain'));
  if (!mechanism) throw new Error(`The parameter sasl of a kafka:// URL is one of ${SASL_MECHANISMS.join(', ')}.`);
  const [username, password] = credentialsOf(credentials ?? '');
  if (username === '' || password === '')
    throw new Error('A kafka:// URL with a user or sasl needs user:password in front of the host.');
  return { ...transport, sasl: { mechanism, username, password } };
}

function credentialsOf(text: string): [username: string, password: string] {
  const separator = text.indexOf(':');
  if (separator === -1) return ['', ''];
  try {
    return [decodeURIComponent(text.slice(0, separator)), decodeURIComponent(text.slice(separator + 1))];
  } catch {
    throw new Error('User and password of a kafka:// URL are percent-encoded: write % as %25.');
  }
}
