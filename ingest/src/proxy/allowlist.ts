import { compileCidrs, type CredentialRecord, expiredFromMs, revokedFromMs } from '../../contract/index.ts';
import type { ProxyRefusal } from '../../contract/proxy-policy.ts';
import type { ProxyRules } from './policy.ts';
import type { PresentedKey } from './presented-key.ts';

/** A policy that a request breaks, and a sentence that says how. */
export interface Violation {
  policy: ProxyRefusal;
  sentence: string;
  /** false: it is only noted. */
  isRefused: boolean;
}

type Broken = Omit<Violation, 'isRefused'>;

/** The request, as far as policies look at it. */
export interface JudgedRequest {
  key: PresentedKey;
  /** Canonical. */
  address: string;
  /** As the client names it; '' when it names none. */
  environment: string;
  /** Epoch milliseconds. */
  now: number;
}

interface Entry {
  version: number;
  hint: string;
  project: string;
  environment: string;
  revokedFromMs: number;
  expiredFromMs: number;
  allowsAddress: (address: string) => boolean;
}

/** The registry as the proxy needs it: which keys belong here, and where. */
export interface Allowlist {
  /** Takes what a record of the credentials topic holds; null removes its key. */
  apply(recordKey: string | null, record: CredentialRecord | null): void;
  /**
   * The first policy that a request breaks, one that refuses before one that only notes; null when it breaks none.
   * @param rulesOf what holds for keys of a project
   */
  judge(request: JudgedRequest, rulesOf: (project: string) => ProxyRules): Violation | null;
}

/** An empty allowlist; feed it with `bus.followLatest`. */
export function createAllowlist(): Allowlist {
  const byRecordKey = new Map<string, Entry>();
  /** How many keys are registered by a hint alone. Such a one may be any key with that hint. */
  const hints = new Map<string, number>();

  function forget(recordKey: string): void {
    const entry = byRecordKey.get(recordKey);
    if (entry === undefined) return;
    byRecordKey.delete(recordKey);
    if (!isFingerprintKey(recordKey)) hints.set(entry.hint, (hints.get(entry.hint) ?? 1) - 1);
  }

  return {
    apply(recordKey, record) {
      if (recordKey === null || (byRecordKey.get(recordKey)?.version ?? 0) > (record?.version ?? Infinity)) return;
      forget(recordKey);
      if (record === null) return;
      byRecordKey.set(recordKey, entryOf(record));
      if (record.fingerprint === '') hints.set(record.hint, (hints.get(record.hint) ?? 0) + 1);
    },
    judge({ key, address, environment, now }, rulesOf) {
      // Whoever signed in or sent no key breaks no policy on keys; the provider decides about them.
      if (key.kind !== 'api_key') return null;
      const entry = byRecordKey.get(key.fingerprint);
      if (entry !== undefined) return firstOf(violations(entry, { address, environment, now }), rulesOf(entry.project));
      const mayBeRegistered = (hints.get(key.hint) ?? 0) > 0;
      if (mayBeRegistered) return null;
      const sentence = `The key ${key.hint} is not registered in this organisation.`;
      return firstOf([{ policy: 'unknown', sentence }], rulesOf(''));
    },
  };
}

function firstOf(broken: readonly Broken[], { refused, noted }: ProxyRules): Violation | null {
  const refusing = broken.find(({ policy }) => refused.has(policy));
  if (refusing !== undefined) return { ...refusing, isRefused: true };
  const noting = broken.find(({ policy }) => noted.has(policy));
  return noting === undefined ? null : { ...noting, isRefused: false };
}

const isFingerprintKey = (recordKey: string) => /^[0-9a-f]{64}$/.test(recordKey);

function entryOf(record: CredentialRecord): Entry {
  return {
    version: record.version,
    hint: record.hint,
    project: record.project,
    environment: record.environment,
    revokedFromMs: revokedFromMs(record),
    expiredFromMs: expiredFromMs(record),
    allowsAddress: compileCidrs(record.allowed_cidrs),
  };
}

function violations(entry: Entry, request: Omit<JudgedRequest, 'key'>): Broken[] {
  const { address, environment, now } = request;
  const found: Broken[] = [];
  if (now >= entry.revokedFromMs) found.push({ policy: 'revoked', sentence: `The key ${entry.hint} was revoked.` });
  if (now >= entry.expiredFromMs) found.push({ policy: 'expired', sentence: `The key ${entry.hint} has expired.` });
  if (!entry.allowsAddress(address))
    found.push({ policy: 'network', sentence: `The key ${entry.hint} may not be used from this address.` });
  if (environment !== '' && entry.environment !== '' && environment !== entry.environment)
    found.push({
      policy: 'environment',
      sentence: `The key ${entry.hint} is one of ${entry.environment}, not of the environment that the request names.`,
    });
  return found;
}
