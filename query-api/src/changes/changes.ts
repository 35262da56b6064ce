import type { Change } from '../../contract/index.ts';

/** Tells listeners that rows or findings were stored, the registry changed or somebody acted on a finding. */
export interface ChangeFeed {
  /** Calls back on every change until the returned function is called. */
  listen(onChange: (change: Change) => void): () => void;
  readonly listeners: number;
  /** Polls at once instead of at the next tick; after our own registry changes. */
  poke(): void;
  close(): void;
}

/** Twice a second at most: faster than a person notices, slow enough to cost nothing. */
const POLL_MS = 500;

/** What is compared, each read by itself: while one store is away, the other's changes are told all the same. */
type Compared = Omit<Change, 'ledger_answers'>;
type Sources = { [Name in keyof Compared]: () => Promise<Compared[Name]> };

/** What is told of a source that was never read. */
const UNREAD: Compared = { last_stored_at: null, findings_version: '', registry_version: 0, triage_version: 0 };
const SOURCE_NAMES = Object.keys(UNREAD) as (keyof Compared)[];

/**
 * One poll shared by everybody who listens, and none while nobody does. A source that can't be read keeps its last value and is
 * tried again at the next tick.
 * @param hooks told when a source begins to fail, and when it answers again
 */
export function createChangeFeed(
  sources: Sources,
  hooks: {
    onFault: (source: keyof Compared, error: unknown) => void;
    onRecovery: (source: keyof Compared) => void;
  },
): ChangeFeed {
  const listeners = new Set<(change: Change) => void>();
  const failing = new Set<keyof Compared>();
  let timer: NodeJS.Timeout | undefined;
  let known: Partial<Compared> = {};
  let last: Change | null = null;
  let polling = false;

  async function look<Name extends keyof Compared>(name: Name): Promise<void> {
    try {
      const value = await sources[name]();
      known = { ...known, [name]: value };
      if (failing.delete(name)) hooks.onRecovery(name);
    } catch (error) {
      if (!failing.has(name)) hooks.onFault(name, error);
      failing.add(name);
    }
  }

  async function poll(): Promise<void> {
    if (polling || listeners.size === 0) return;
    polling = true;
    await Promise.all(SOURCE_NAMES.map((name) => look(name)));
    polling = false;
    if (Object.keys(known).length === 0) return;
    const change: Change = { ...UNREAD, ...known, ledger_answers: !failing.has('last_stored_at') };
    const moved = (Object.keys(change) as (keyof Change)[]).some((name) => last?.[name] !== change[name]);
    last = change;
    if (moved) for (const listener of listeners) listener(change);
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    last = null;
  }

  return {
    listen(onChange) {
      listeners.add(onChange);
      // A newcomer learns the present state at once, so that it can tell whether its page is stale.
      if (last !== null) onChange(last);
      if (timer === undefined) {
        timer = setInterval(() => void poll(), POLL_MS);
        timer.unref();
        void poll();
      }
      return () => {
        listeners.delete(onChange);
        if (listeners.size === 0) stop();
      };
    },
    get listeners() {
      return listeners.size;
    },
    poke: () => void poll(),
    close() {
      listeners.clear();
      stop();
    },
  };
}
