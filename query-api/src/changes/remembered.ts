import { randomBytes } from 'node:crypto';

/** Something that happened, as every listener is told of it. */
export interface StreamEvent {
  /** Of this process's run, and counted up: a listener that was cut off names the last one it had. */
  id: string;
  atMs: number;
  event: 'finding' | 'triage' | 'registry';
  data: object;
}

/** The last events, so that whoever was cut off for a moment misses none. */
interface Remembered {
  add(event: StreamEvent['event'], data: object, atMs: number): StreamEvent;
  /** Everything after an event; null when that is not known any more, or was told by another process. */
  after(id: string): StreamEvent[] | null;
  since(atMs: number): StreamEvent[];
}

/** Remembers as many events as given. */
export function rememberEvents(eventsMax: number): Remembered {
  const run = randomBytes(6).toString('hex');
  const events: StreamEvent[] = [];
  let count = 0;
  return {
    add(event, data, atMs) {
      const made = { id: `${run}-${++count}`, atMs, event, data };
      events.push(made);
      if (events.length > eventsMax) events.shift();
      return made;
    },
    after(id) {
      const [ofRun, number] = id.split('-');
      const at = Number(number);
      if (ofRun !== run || !Number.isInteger(at) || at > count || at < count - events.length) return null;
      return events.slice(events.length - (count - at));
    },
    since: (atMs) => events.filter((event) => event.atMs >= atMs),
  };
}
