/** Something real that tests run against, and where it came from. */
export interface Part<Address = string> {
  /** What tests use to reach it; null when it can't be had. */
  address: Address | null;
  /** One sentence for the report of the run. */
  origin: string;
  stop(): Promise<void>;
}

/** A part that somebody else runs. */
export function existing<Address>(address: Address, origin: string): Part<Address> {
  return { address, origin, stop: () => Promise.resolve() };
}

/** A part that can't be had, and why. */
export function missing(reason: string): Part {
  return { address: null, origin: reason, stop: () => Promise.resolve() };
}
