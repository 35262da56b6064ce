import type { Change } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { ChangeFeed } from './changes.ts';
import { createFindingNews, readTriageSince } from './news.ts';
import { rememberEvents } from './remembered.ts';
import type { StreamEvent } from './remembered.ts';

/** Tells listeners what happened, one event each; the last ones again to whoever was cut off. */
export interface EventStream {
  /**
   * Calls back for every event and every change until the returned function is called.
   * @param from what was heard last: an event's id, or an instant
   * @param listener.onGap told first when events after that id are not known any more
   */
  listen(
    from: { lastId: string } | { sinceMs: number } | null,
    listener: { onEvent: (event: StreamEvent) => void; onChange: (change: Change) => void; onGap: () => void },
  ): () => void;
}

/** About what a busy quarter of an hour brings. */
const EVENTS_REMEMBERED_MAX = 2_000;
/** Page and stream may be served by machines whose clocks differ a little; what is told twice is known by its id. */
const CLOCKS_MS = 2_000;

/**
 * The stream over the feed of changes: whenever that says that something moved, what moved is read. Nothing is read while nobody
 * listens; what happened meanwhile is told to the next who does.
 */
export function createEventStream(parts: {
  changes: ChangeFeed;
  store: ClickHouse;
  db: RegistryDatabase;
  now: () => number;
  onFault: (error: unknown) => void;
}): EventStream {
  const { changes, store, db, now, onFault } = parts;
  const remembered = rememberEvents(EVENTS_REMEMBERED_MAX);
  const listeners = new Set<(event: StreamEvent) => void>();
  const news = createFindingNews(store);
  let known: Change | null = null;
  let reading: Promise<void> = Promise.resolve();

  function tell(event: StreamEvent['event'], data: object): void {
    const made = remembered.add(event, data, now());
    for (const listener of listeners) listener(made);
  }

  async function read(change: Change): Promise<void> {
    const before = known;
    if (before?.findings_version !== change.findings_version)
      for (const finding of await news.read()) tell('finding', finding);
    if (before !== null && before.triage_version !== change.triage_version)
      for (const act of await readTriageSince(store, db, before.triage_version, now())) tell('triage', act);
    if (before !== null && before.registry_version !== change.registry_version)
      tell('registry', { registry_version: change.registry_version });
    // Only now: what could not be read is read at the next change.
    known = change;
  }

  return {
    listen(from, { onEvent, onChange, onGap }) {
      const missed =
        from === null
          ? []
          : 'lastId' in from
            ? remembered.after(from.lastId)
            : remembered.since(from.sinceMs - CLOCKS_MS);
      if (missed === null) onGap();
      for (const event of missed ?? []) onEvent(event);
      listeners.add(onEvent);
      const stop = changes.listen((change) => {
        onChange(change);
        // Every listener hears of the change; the first of them has it read for all.
        reading = reading.then(() => (change === known ? undefined : read(change))).catch(onFault);
      });
      return () => {
        listeners.delete(onEvent);
        stop();
      };
    },
  };
}
