/** What was started and has to end, also when the start of the next thing fails or somebody stops the bench. */
export interface Stops {
  add(stop: () => Promise<unknown>): void;
  /** Ends everything, what came last first. Never rejects: what can't be ended is told and keeps nothing else. */
  all(): Promise<void>;
}

export function createStops(complain: (error: unknown) => void = console.error): Stops {
  const stops: (() => Promise<unknown>)[] = [];
  // One after the other, so that a signal which comes while a bench ends waits for that end.
  let ending = Promise.resolve();
  const end = async () => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop().catch(complain);
  };
  return {
    add: (stop) => void stops.push(stop),
    all: () => (ending = ending.then(end)),
  };
}
