import { canonicalHint } from '@lanewatch/ingest/contract';
import type { RegistryDatabase } from './database.ts';
import type { CredentialRow } from './record.ts';
import { outboxReach, secretsOf } from './registry.ts';
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

/** Read at once, so that others get their turn in between: verify answers from this very process. */
const ROWS_PER_READ = 500;

/** The registry in memory. */
export interface RegistryView {
  /** As it is now: asks the store for the newest version, one indexed read, and loads what changed since. */
  current(): Promise<RegistrySnapshot>;
  /** As it was when somebody last asked; empty before that. */
  held(): RegistrySnapshot;
}

/**
 * Opens a view. Each use of `current` reads the newest version and then only the credentials that changed, so every replica answers with
 * the registry as it is, a page of lanes costs no join, and a change costs the same however many keys there are. Many changes at once,
 * such as of a job over all keys, are followed in parts.
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

  /** Loads what changed after one version and up to another. */
  async function loadChanges(from: number, upTo: number): Promise<void> {
    for (let after = from; after < upTo;) {
      const rows = await db
        .selectFrom('outbox')
        .select(['id', 'credential_id'])
        .where('id', '>', String(after))
        .where('id', '<=', String(upTo))
        .orderBy('id')
        .limit(ROWS_PER_READ)
        .execute();
      const ids = [...new Set(rows.map(({ credential_id: id }) => id))];
      if (ids.length > 0) await put(await db.selectFrom('credentials').selectAll().where('id', 'in', ids).execute());
      after = rows.length < ROWS_PER_READ ? upTo : Number(rows.at(-1)!.id);
    }
  }

  async function load(): Promise<RegistrySnapshot> {
    // How far first: a change between this read and the next makes the rows newer than it says, and the next use loads again.
    const { oldest, newest } = await outboxReach(db);
    if (newest === held.version) return held;
    if (held.version < 0 || held.version < oldest) await loadAll();
    else await loadChanges(held.version, newest);
    held = index.snapshot(newest);
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
