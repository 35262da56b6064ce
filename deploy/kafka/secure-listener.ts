import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

/** A second door of a broker, for which clients need a certificate's authority, a user and a password. */
export interface SecureListener {
  user: string;
  /** Letters and digits: it goes into lists that have separators of their own. */
  password: string;
}

const KEY_STORE_PASSWORD = 'changeit';
const VALID_DAYS = '2';

const keyStoreIn = (dir: string) => path.join(dir, 'broker.p12');
const certificateIn = (dir: string) => path.join(dir, 'broker.pem');

/**
 * Makes a certificate for 127.0.0.1 that signs itself; keytool is there wherever a broker runs, because Java is.
 * @returns path of the certificate, which is its own authority, as PEM
 */
export async function makeCertificate(dir: string): Promise<string> {
  const run = (...args: string[]) =>
    promisify(execFile)('keytool', [
      ...args,
      ...['-alias', 'broker', '-keystore', keyStoreIn(dir), '-storetype', 'PKCS12', '-storepass', KEY_STORE_PASSWORD],
    ]);
  const names = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1,dns:localhost'];
  await run('-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', VALID_DAYS, ...names);
  await run('-exportcert', '-rfc', '-file', certificateIn(dir));
  return certificateIn(dir);
}

/** Broker properties of the listener SECURE; to be added to those that name it in `listeners`. */
export function securePropertiesOf(dir: string, { user, password }: SecureListener): Record<string, string> {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': keyStoreIn(dir),
    'ssl.keystore.password': KEY_STORE_PASSWORD,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.secure.plain.sasl.jaas.config': `${plain} required user_${user}="${password}";`,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': `${scram} required;`,
    'listener.name.secure.scram-sha-512.sasl.jaas.config': `${scram} required;`,
  };
}

/** Arguments for formatting a broker's directory: SCRAM users live in its log, not in its properties. */
export function scramUserArguments({ user, password }: SecureListener): string[] {
  return ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${user},password=${password}]`,
  ]);
}
