import { canonicalHint } from '@lanewatch/ingest/contract';
import type { ImportedKeys } from '../../contract/index.ts';
import { holdsRawKey } from '../../contract/raw-key.ts';
import { importCredentials } from '../registry/import.ts';
import type { RegisterParts } from '../registry/register.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { readObserved } from './observed.ts';
import type { ObservedLane } from './observed.ts';
import type { AdminApi, ProviderKey, ProviderName } from './provider.ts';

/** Which columns a key gives, in this order. */
const COLUMNS = ['name', 'fingerprint', 'hint', 'provider', 'org', 'project', 'owner', 'owner_kind', 'expires_at'];
const NAME_CHARS_MAX = 200;

/**
 * Registers the keys that a provider tells of, as the import of a file does. A key whose masked form one lane alone is used under is registered by that
 * lane's fingerprint, which proves its events from then on; the others by their masked form and the organisation.
 * @throws {AdminApiError} when the provider does not tell
 */
export async function importKeys(
  parts: RegisterParts & { snapshot: RegistrySnapshot },
  {
    api,
    provider,
    org,
    dryRun,
    actor,
  }: { api: AdminApi; provider: ProviderName; org: string; dryRun: boolean; actor: string },
): Promise<ImportedKeys & { outboxId: number }> {
  const told = await api.keys();
  const active = told.filter(({ isActive }) => isActive);
  const shown = active.filter(({ hint }) => hint !== '');
  const observed = await readObserved(
    parts.store,
    shown.map(({ hint }) => hint),
    parts.nowMs,
  );
  // Two keys of one masked form: whose the lane is nobody can say.
  const counts = Map.groupBy(shown, ({ hint }) => canonicalHint(hint));
  const laneOf = ({ hint }: ProviderKey): ObservedLane | undefined =>
    counts.get(canonicalHint(hint))?.length === 1 ? observed.get(canonicalHint(hint)) : undefined;
  const lines = shown.map((key) => [
    nameOf(key),
    laneOf(key)?.fingerprint ?? '',
    key.hint,
    provider,
    org,
    cleaned(key.project),
    cleaned(key.owner),
    key.owner === '' ? '' : key.ownerKind,
    key.expiresAt !== null && Date.parse(key.expiresAt) > parts.nowMs ? key.expiresAt : '',
  ]);
  const { outboxId, ...imported } = await importCredentials(
    parts,
    { csv: csvOf([COLUMNS, ...lines]), dry_run: dryRun },
    actor,
  );
  return {
    imported: { ...imported, published: false },
    inactive: told.length - active.length,
    hidden: active.length - shown.length,
    lanes: shown.flatMap((key, index) => {
      const lane = laneOf(key);
      // The first line names the columns.
      return lane === undefined
        ? []
        : [{ line: index + 2, lane: lane.lane, events: lane.events, cost_usd: lane.costUsd }];
    }),
    outboxId,
  };
}

const nameOf = ({ name, id }: ProviderKey): string => cleaned(name) || id;

/** Names are given by people: one line of them, and no key by mistake. */
function cleaned(text: string): string {
  const line = text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, NAME_CHARS_MAX);
  return holdsRawKey(line) ? '' : line;
}

const csvOf = (lines: readonly (readonly string[])[]): string =>
  lines.map((cells) => cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n');
