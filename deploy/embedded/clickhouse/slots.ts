import { raise } from './errors.ts';

export type Slot = {
  /** Which of the places it is, from 0: whoever holds the slot may use what belongs to that place alone. */
  index: number;
  release(): void;
};

export type Slots = {
  /** Waits for a place. Throws TOO_MANY_SIMULTANEOUS_QUERIES when too many wait already, or ABORTED when the caller gave up. */
  acquire(restricted: boolean, signal: AbortSignal): Promise<Slot>;
  readonly running: number;
};

type Waiting = { restricted: boolean; start: (slot: Slot) => void };

/**
 * Bounds how many queries run at one time. Each query holds one thread of the pool until it ends, so more of them than
 * threads would make a short one wait behind long ones *inside* the pool, where nothing can be done about it.
 * Restricted queries (the analyst's) get at most half of the places: ad-hoc questions never stop the ledger's writer.
 * @param restrictedPlaces most of them that run at one time, where that is less than half of the places
 */
export function createSlots(places: number, waitingMax: number, restrictedPlaces = places): Slots {
  const free = Array.from({ length: places }, (_, index) => places - 1 - index);
  const restrictedMax = Math.max(1, Math.min(restrictedPlaces, Math.floor(places / 2)));
  const waiting: Waiting[] = [];
  let restrictedRunning = 0;

  function take(restricted: boolean): Slot | undefined {
    if (restricted && restrictedRunning >= restrictedMax) return undefined;
    const index = free.pop();
    if (index === undefined) return undefined;
    if (restricted) restrictedRunning += 1;
    let released = false;
    return {
      index,
      release() {
        if (released) return;
        released = true;
        if (restricted) restrictedRunning -= 1;
        free.push(index);
        startWaiting();
      },
    };
  }

  /** First come, first served, except that a restricted query is passed by when its share is used up. */
  function startWaiting(): void {
    for (let position = 0; position < waiting.length && free.length > 0;) {
      const slot = take(waiting[position]!.restricted);
      if (slot === undefined) {
        position += 1;
        continue;
      }
      const [next] = waiting.splice(position, 1);
      next!.start(slot);
    }
  }

  return {
    get running() {
      return places - free.length;
    },
    acquire(restricted, signal) {
      const slot = take(restricted);
      if (slot !== undefined) return Promise.resolve(slot);
      if (waiting.length >= waitingMax) {
        const text = `Too many simultaneous queries. Maximum: ${String(places)} running and ${String(waitingMax)} waiting.`;
        return Promise.reject(raise('TOO_MANY_SIMULTANEOUS_QUERIES', text));
      }
      return new Promise<Slot>((resolve, reject) => {
        const entry: Waiting = {
          restricted,
          start(started) {
            signal.removeEventListener('abort', giveUp);
            resolve(started);
          },
        };
        function giveUp(): void {
          const position = waiting.indexOf(entry);
          if (position >= 0) waiting.splice(position, 1);
          reject(raise('ABORTED', 'The client went away before the query could start.'));
        }
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(entry);
      });
    },
  };
}
