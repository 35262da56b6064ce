import { canonicalHint } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from './database.ts';
import type { CredentialRow } from './record.ts';
import { registryVersion, secretsOf } from './registry.ts';
import { firstSecretOf, rowOfSecret } from './secrets.ts';
import type { SecretRow } from './secrets.ts';

/** The registry as it was at one version, looked up by what events name. */
export interface RegistrySnapshot {
  version: number;
  all: readonly CredentialRow[];
  byId: ReadonlyMap<string, CredentialRow>;
  /** Secrets of a credential, newest first. */
  secretsById: ReadonlyMap<string, readonly SecretRow[]>;
  /** Credentials by every fingerprint they ever had, each as that secret shows it. */
  byFingerprint: ReadonlyMap<string, CredentialRow>;
  byHint: ReadonlyMap<string, readonly CredentialRow[]>;
}

/** The snapshot's maps while they are filled. */
class Index {
  readonly byId = new Map<string, CredentialRow>();
  readonly secretsById = new Map<string, SecretRow[]>();
  readonly byFingerprint = new Map<string, CredentialRow>();
  readonly byHint = new Map<string, CredentialRow[]>();

  /** Takes a credential in place of the version that was held. */
  put(row: CredentialRow, secrets: SecretRow[]): void {
    for (const secret of this.secretsById.get(row.id) ?? []) this.forget(secret, row.id);
    this.byId.set(row.id, row);
    this.secretsById.set(row.id, secrets);
    for (const secret of secrets) {
      const shown = rowOfSecret(row, secret);
      if (secret.fingerprint !== '') this.byFingerprint.set(secret.fingerprint, shown);
      const hint = canonicalHint(secret.hint);
      if (hint !== '') this.byHint.set(hint, [...(this.byHint.get(hint) ?? []), shown]);
    }
  }

  private forget({ fingerprint, hint }: SecretRow, id: string): void {
    this.byFingerprint.delete(fingerprint);
    const spelled = canonicalHint(hint);
    const others = (this.byHint.get(spelled) ?? []).filter((row) => row.id !== id);
    if (others.length > 0) this.byHint.set(spelled, others);
    else this.byHint.delete(spelled);
  }

  snapshot(version: number): RegistrySnapshot {
    const { byId, secretsById, byFingerprint, byHint } = this;
    return { version, all: [...byId.values()], byId, secretsById, byFingerprint, byHint };
  }
}

/** Indexes rows; those without secrets among `secrets` have one each. Pure. */
export function snapshotOf(
  version: number,
  all: readonly CredentialRow[],
  secrets: readonly SecretRow[] = [],
): RegistrySnapshot {
  const index = new Index();
  const byId = Map.groupBy(secrets, ({ credential_id: id }) => id);
  for (const row of all) index.put(row, byId.get(row.id) ?? [firstSecretOf(row)]);
  return index.snapshot(version);
}

const ROWS_PER_READ = 5_000;

/** The registry in memory. */
export interface RegistryView {
  /** As it is now: asks the store for the newest version, one indexed read, and loads what changed since. */
  current(): Promise<RegistrySnapshot>;
  /** As it was when somebody last asked; empty before that. */
  held(): RegistrySnapshot;
}

/**
 * Opens a view. Each use of `current` reads the newest version and then only the credentials that changed, so every replica answers with
 * the registry as it is, a page of lanes costs no join, and a change costs the same however many keys there are.
 */
export function createRegistryView(db: RegistryDatabase): RegistryView {
  let index = new Index();
  let held = index.snapshot(-1);
  let loading: Promise<RegistrySnapshot> | null = null;

  async function loadAll(): Promise<void> {
    index = new Index();
    let after = '';
    for (;;) {
      const rows = await db
        .selectFrom('credentials')
        .selectAll()
        .where('id', '>', after)
        .orderBy('id')
        .limit(ROWS_PER_READ)
        .execute();
      if (rows.length > 0) await put(rows);
      if (rows.length < ROWS_PER_READ) return;
      after = rows.at(-1)!.id;
    }
  }

  async function put(rows: CredentialRow[]): Promise<void> {
    const secrets = Map.groupBy(
      await secretsOf(
        db,
        rows.map(({ id }) => id),
      ),
      ({ credential_id: id }) => id,
    );
    for (const row of rows) index.put(row, secrets.get(row.id) ?? []);
  }

  /** Ids of what changed after a version; null when the outbox does not reach back that far. */
  async function changedSince(version: number): Promise<string[] | null> {
    const reach = await db
      .selectFrom('outbox')
      .select(({ fn }) => fn.min('id').as('first'))
      .executeTakeFirst();
    if (version < Number(reach?.first ?? 0)) return null;
    const rows = await db
      .selectFrom('outbox')
      .select('credential_id')
      .distinct()
      .where('id', '>', String(version))
      .limit(ROWS_PER_READ + 1)
      .execute();
    return rows.length > ROWS_PER_READ ? null : rows.map(({ credential_id: id }) => id);
  }

  async function load(): Promise<RegistrySnapshot> {
    // The version first: a change between the two reads makes the rows newer than it says, and the next use loads again.
    const version = await registryVersion(db);
    if (version === held.version) return held;
    const ids = held.version < 0 ? null : await changedSince(held.version);
    if (ids === null) await loadAll();
    else if (ids.length > 0) await put(await db.selectFrom('credentials').selectAll().where('id', 'in', ids).execute());
    held = index.snapshot(version);
    return held;
  }

  return {
    held: () => held,
    async current() {
      // Joining a load under way could miss a change committed after it began, so wait for it and look again.
      if (loading !== null) await loading.catch(() => undefined);
      loading ??= load().finally(() => (loading = null));
      return loading;
    },
  };
}
