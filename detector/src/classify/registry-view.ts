import {
  canonicalHint,
  credentialRecordKey,
  credentialRecordSchema,
  type CredentialRecord,
  expiredFromMs,
  revokedFromMs,
} from '@lanewatch/ingest/contract';

/** A registry record with its instants as epoch milliseconds, ready to be compared with an event. */
export interface Credential {
  record: CredentialRecord;
  /** From when its use counts as revoked (end of grace included); Infinity when it is not revoked. */
  revokedFromMs: number;
  /** From when its use counts as expired; Infinity when it never expires. */
  expiredFromMs: number;
}

/** The registry as the detector holds it: every record by its fingerprint, and by hint for events that know no more. */
export interface RegistryView {
  byFingerprint(fingerprint: string): Credential | undefined;
  /** The record of a key of the credentials topic. */
  byKey(recordKey: string): Credential | undefined;
  /** All records with this hint, in canonical spelling. */
  byHint(hint: string): readonly Credential[];
  /** All records, in no order. */
  all(): Iterable<Credential>;
  /** Records held. */
  readonly size: number;
  /**
   * Takes a record off the credentials topic. An older version than the one held is ignored, so order and repeats don't
   * matter; an empty value takes the key's record off. Returns a reason when the value is no credential record.
   */
  apply(value: Uint8Array, recordKey?: string | null): { ok: true } | { ok: false; reason: string };
}

const NONE: readonly Credential[] = [];

/** @param onChange hears the key of every record that was taken or taken off */
export function createRegistryView(onChange: (recordKey: string) => void = () => undefined): RegistryView {
  const byKey = new Map<string, Credential>();
  const byFingerprint = new Map<string, Credential>();
  const byHint = new Map<string, Credential[]>();

  function forget(credential: Credential): void {
    byFingerprint.delete(credential.record.fingerprint);
    const hint = canonicalHint(credential.record.hint);
    const rest = byHint.get(hint)?.filter((other) => other !== credential) ?? [];
    if (rest.length > 0) byHint.set(hint, rest);
    else byHint.delete(hint);
  }

  function remember(key: string, credential: Credential): void {
    byKey.set(key, credential);
    if (credential.record.fingerprint !== '') byFingerprint.set(credential.record.fingerprint, credential);
    const hint = canonicalHint(credential.record.hint);
    if (hint !== '') byHint.set(hint, [...(byHint.get(hint) ?? []), credential]);
  }

  return {
    byFingerprint: (fingerprint) => byFingerprint.get(fingerprint),
    byKey: (recordKey) => byKey.get(recordKey),
    byHint: (hint) => byHint.get(hint) ?? NONE,
    all: () => byKey.values(),
    get size() {
      return byKey.size;
    },
    apply(value, recordKey = null) {
      if (value.length === 0) {
        const removed = recordKey === null ? undefined : byKey.get(recordKey);
        if (removed === undefined) return { ok: true };
        forget(removed);
        byKey.delete(recordKey!);
        onChange(recordKey!);
        return { ok: true };
      }
      const parsed = parseRecord(value);
      if (!parsed.ok) return parsed;
      const key = credentialRecordKey(parsed.record);
      const held = byKey.get(key);
      if (held !== undefined && held.record.version > parsed.record.version) return { ok: true };
      if (held !== undefined) forget(held);
      remember(key, withInstants(parsed.record));
      onChange(key);
      return { ok: true };
    },
  };
}

function parseRecord(value: Uint8Array): { ok: true; record: CredentialRecord } | { ok: false; reason: string } {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return { ok: false, reason: 'not JSON' };
  }
  const result = credentialRecordSchema.safeParse(json);
  if (result.success) return { ok: true, record: result.data };
  const issue = result.error.issues[0];
  return { ok: false, reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` };
}

function withInstants(record: CredentialRecord): Credential {
  return { record, revokedFromMs: revokedFromMs(record), expiredFromMs: expiredFromMs(record) };
}
