import {
  type BusRecord,
  compileCidrs,
  type CredentialRecord,
  credentialRecordSchema,
  expiredFromMs,
  mayShipEvents,
  revokedFromMs,
} from '../../contract/index.ts';

/** What ingest keeps of a credential to decide about a request. */
export interface CollectorCredential {
  id: string;
  hint: string;
  /** Epoch milliseconds, Infinity when there is no such time. */
  revokedFromMs: number;
  expiredFromMs: number;
  mayWriteEvents: boolean;
  allowsAddress: (address: string) => boolean;
  version: number;
}

/** The credentials topic as a table in memory, keyed by fingerprint. Its size is the registry's, never that of traffic. */
export interface CredentialView {
  find(fingerprint: string): CollectorCredential | undefined;
  /**
   * Takes one record of the topic; a record that cannot be read is refused with the reason and changes nothing.
   * @returns what it holds, for whoever else follows the topic; null where it removes its key
   */
  apply(
    record: Pick<BusRecord, 'key' | 'value'>,
  ): { ok: true; record: CredentialRecord | null } | { ok: false; reason: string };
  readonly size: number;
}

/** An empty view; feed it with `bus.followLatest`. */
export function createCredentialView(): CredentialView {
  const byFingerprint = new Map<string, CollectorCredential>();
  return {
    find: (fingerprint) => byFingerprint.get(fingerprint),
    get size() {
      return byFingerprint.size;
    },
    apply({ key, value }) {
      if (value.length === 0) {
        if (key !== null) byFingerprint.delete(key);
        return { ok: true, record: null };
      }
      let json: unknown;
      try {
        json = JSON.parse(value.toString('utf8'));
      } catch {
        return { ok: false, reason: 'not JSON' };
      }
      const parsed = credentialRecordSchema.safeParse(json);
      if (!parsed.success) return { ok: false, reason: `invalid at ${parsed.error.issues[0]?.path.join('.') ?? ''}` };
      const record = parsed.data;
      // Only keys that we issued can authenticate a collector: of a provider's key we know the fingerprint, not its holder.
      if (record.fingerprint === '' || record.kind !== 'managed') return { ok: true, record };
      const known = byFingerprint.get(record.fingerprint);
      if (known !== undefined && known.version > record.version) return { ok: true, record };
      byFingerprint.set(record.fingerprint, {
        id: record.id,
        hint: record.hint,
        revokedFromMs: revokedFromMs(record),
        expiredFromMs: expiredFromMs(record),
        mayWriteEvents: mayShipEvents(record),
        allowsAddress: compileCidrs(record.allowed_cidrs),
        version: record.version,
      });
      return { ok: true, record };
    },
  };
}
