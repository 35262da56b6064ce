import { canonicalHint } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from './database.ts';
import type { CredentialRow } from './record.ts';
import { registryVersion } from './registry.ts';

/** The registry as it was at one version, looked up by what events name. */
export interface RegistrySnapshot {
  version: number;
  all: readonly CredentialRow[];
  byId: ReadonlyMap<string, CredentialRow>;
  byFingerprint: ReadonlyMap<string, CredentialRow>;
  byHint: ReadonlyMap<string, readonly CredentialRow[]>;
}

/** Indexes rows. Pure. */
export function snapshotOf(version: number, all: readonly CredentialRow[]): RegistrySnapshot {
  const byFingerprint = new Map<string, CredentialRow>();
  const byHint = new Map<string, CredentialRow[]>();
  for (const row of all) {
    if (row.fingerprint !== '') byFingerprint.set(row.fingerprint, row);
    const hint = canonicalHint(row.hint);
    if (hint !== '') byHint.set(hint, [...(byHint.get(hint) ?? []), row]);
  }
  return { version, all, byId: new Map(all.map((row) => [row.id, row])), byFingerprint, byHint };
}

/**
 * The registry in memory. Each use asks the store for the newest version, one indexed read, and loads the rows only when
 * it moved: every replica answers with the registry as it is, and a page of lanes costs no join.
 */
export function createRegistryView(db: RegistryDatabase): { current(): Promise<RegistrySnapshot> } {
  let held = snapshotOf(-1, []);
  let loading: Promise<RegistrySnapshot> | null = null;

  async function load(): Promise<RegistrySnapshot> {
    // The version first: a change between the two reads makes the rows newer than it says, and the next use loads again.
    const version = await registryVersion(db);
    if (version !== held.version) held = snapshotOf(version, await db.selectFrom('credentials').selectAll().execute());
    return held;
  }

  return {
    async current() {
      // Joining a load under way could miss a change committed after it began, so wait for it and look again.
      if (loading !== null) await loading.catch(() => undefined);
      loading ??= load().finally(() => (loading = null));
      return loading;
    },
  };
}
