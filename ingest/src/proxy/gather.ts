import type { UsageEvent } from '../../contract/index.ts';

/** Events of requests gather this long, so that those of many share a batch on the bus; their answers are through by then. */
export const GATHER_MS = 25;
const EVENTS_MAX = 64;

export interface Gatherer {
  /** Resolves once the event is durable. */
  add(event: UsageEvent): Promise<void>;
  /** Publishes what has gathered. */
  flush(): void;
}

interface Awaited {
  promise: Promise<void>;
  resolve(): void;
  reject(reason: unknown): void;
}

const awaited = (): Awaited => Promise.withResolvers();

/** @param publish makes events durable */
export function gatherEvents(publish: (events: UsageEvent[]) => Promise<void>, waitMs = GATHER_MS): Gatherer {
  let events: UsageEvent[] = [];
  let published = awaited();
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (events.length === 0) return;
    const [gathered, waiting] = [events, published];
    events = [];
    published = awaited();
    publish(gathered).then(
      () => waiting.resolve(),
      (error: unknown) => waiting.reject(error),
    );
  }

  return {
    add(event) {
      events.push(event);
      const { promise } = published;
      if (events.length >= EVENTS_MAX) flush();
      else timer ??= setTimeout(flush, waitMs);
      return promise;
    },
    flush,
  };
}
