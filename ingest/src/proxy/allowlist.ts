import { compileCidrs, type CredentialRecord, expiredFromMs, revokedFromMs } from '../../contract/index.ts';
import type { PresentedKey } from './presented-key.ts';

/** What the proxy may be told to refuse. */
export const BLOCK_POLICIES = ['unknown', 'revoked', 'expired', 'network', 'environment'] as const;
export type BlockPolicy = (typeof BLOCK_POLICIES)[number];

/** A policy that a request breaks, and a sentence that says how. */
export interface Violation {
  policy: BlockPolicy;
  sentence: string;
}

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
  environment: string;
  revokedFromMs: number;
  expiredFromMs: number;
  allowsAddress: (address: string) => boolean;
}

/** The registry as the proxy needs it: which keys belong here, and where. */
export interface Allowlist {
  /** Takes what a record of the credentials topic holds; null removes its key. */
  apply(recordKey: string | null, record: CredentialRecord | null): void;
  /** The first policy that a request breaks, of those asked for; null when it breaks none. */
  judge(request: JudgedRequest, policies: ReadonlySet<BlockPolicy>): Violation | null;
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
    judge({ key, address, environment, now }, policies) {
      // Whoever signed in or sent no key breaks no policy on keys; the provider decides about them.
      if (key.kind !== 'api_key') return null;
      const entry = byRecordKey.get(key.fingerprint);
      if (entry === undefined) {
        const mayBeRegistered = (hints.get(key.hint) ?? 0) > 0;
        return mayBeRegistered || !policies.has('unknown')
          ? null
          : { policy: 'unknown', sentence: `The key ${key.hint} is not registered in this organisation.` };
      }
      return violations(entry, { address, environment, now }).find(({ policy }) => policies.has(policy)) ?? null;
    },
  };
}

const isFingerprintKey = (recordKey: string) => /^[0-9a-f]{64}$/.test(recordKey);

function entryOf(record: CredentialRecord): Entry {
  return {
    version: record.version,
    hint: record.hint,
    environment: record.environment,
    revokedFromMs: revokedFromMs(record),
    expiredFromMs: expiredFromMs(record),
    allowsAddress: compileCidrs(record.allowed_cidrs),
  };
}

function violations(entry: Entry, request: Omit<JudgedRequest, 'key'>): Violation[] {
  const { address, environment, now } = request;
  const found: Violation[] = [];
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
