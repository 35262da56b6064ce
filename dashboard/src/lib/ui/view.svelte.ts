import { createContext } from 'svelte';

/** How often relative times are brought up to date; their finest unit is the minute. */
const TICK_MS = 15_000;

/**
 * What every time on a page is shown against: the moment and the zone. One per page render, delivered by context, so that
 * concurrent renders on the server share nothing.
 */
class View {
  /** Since the server's moment came here; by a clock that nobody sets, which a browser's date may be. */
  #elapsedMs = $state(0);
  #server: () => { nowMs: number; zone: string };

  constructor(server: () => { nowMs: number; zone: string }) {
    this.#server = server;
  }

  /** Epoch milliseconds by the server's clock. */
  get nowMs(): number {
    return this.#server().nowMs + this.#elapsedMs;
  }

  get zone(): string {
    return this.#server().zone;
  }

  /** Keeps time in the browser, from the server's moment on. To be begun anew with each. @returns the teardown */
  tick(): () => void {
    const begunMs = performance.now();
    this.#elapsedMs = 0;
    const timer = setInterval(() => (this.#elapsedMs = performance.now() - begunMs), TICK_MS);
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
