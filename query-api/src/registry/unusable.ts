/** The registry's database can't be used; the message is one sentence for the person who set DATABASE_URL. */
export class RegistryUnusableError extends Error {
  override readonly name = 'RegistryUnusableError';
}

/** What to do, by the code of Postgres, the system or TLS. */
const ADVICE: Record<string, string> = {
  '28P01': 'check user and password in DATABASE_URL',
  '28000': 'check user, password and sslmode in DATABASE_URL, and what the server allows (pg_hba.conf)',
  '3D000': 'create that database, or name another in DATABASE_URL',
  '42501': 'give its user the right to create tables there, such as by making it the owner of the database',
  '53300': 'the server has no connection left: raise its max_connections, or give this one fewer clients',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name the authority of its certificate with sslrootcert=/file.pem in DATABASE_URL',
  SELF_SIGNED_CERT_IN_CHAIN: 'name the authority of its certificate with sslrootcert=/file.pem in DATABASE_URL',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'name the authority of its certificate with sslrootcert=/file.pem in DATABASE_URL',
};
const ADVICE_OTHERWISE = 'check that the server runs and that DATABASE_URL names it';

/**
 * @param error what the driver threw
 * @param url the setting; of it only host and database are said, never the password
 */
export function registryUnusable(error: unknown, url = ''): RegistryUnusableError {
  const reason = rootOf(error);
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : '';
  const message = reason instanceof Error && reason.message !== '' ? reason.message : code;
  return new RegistryUnusableError(
    `The registry's database ${placeOf(url)} can't be used (${message}): ${ADVICE[code] ?? ADVICE_OTHERWISE}.`,
    { cause: error },
  );
}

/** A name with several addresses fails with one error for each, around which there is an empty one. */
function rootOf(error: unknown): unknown {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first ?? error;
}

function placeOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return 'that DATABASE_URL names';
  return `${decodeURIComponent(parsed.pathname.slice(1)) || '(unnamed)'} at ${parsed.host}`;
}
