import { createContext } from 'svelte';

/** How often relative times are brought up to date; their finest unit is the minute. */
const TICK_MS = 15_000;

/**
 * What every time on a page is shown against: the moment and the zone. One per page render, delivered by context, so that
 * concurrent renders on the server share nothing.
 */
class View {
  #tickedMs = $state(0);
  #server: () => { nowMs: number; zone: string };

  constructor(server: () => { nowMs: number; zone: string }) {
    this.#server = server;
  }

  /** Epoch milliseconds: the server's moment, or the browser's own clock where that has gone further. */
  get nowMs(): number {
    return Math.max(this.#tickedMs, this.#server().nowMs);
  }

  get zone(): string {
    return this.#server().zone;
  }

  /** Keeps time in the browser. @returns the teardown */
  tick(): () => void {
    const timer = setInterval(() => (this.#tickedMs = Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }
}

const [getView, setView] = createContext<View>();

/** The view of the page around; for components. */
export const useView = getView;

/** Makes the view; for the root layout. */
export function provideView(server: () => { nowMs: number; zone: string }): View {
  return setView(new View(server));
}
