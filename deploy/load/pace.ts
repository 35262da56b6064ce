/** What passes the time, so that a test can say how it passes. Milliseconds since the start of the run. */
export interface Clock {
  now(): number;
  wait(ms: number): Promise<void>;
}

export interface Pace {
  /** Events per second. */
  rate: number;
  /** Events in all. */
  total: number;
  /** Events of a request at most. */
  batch: number;
  /** Requests under way at once; more would only queue at the other end. */
  inFlightMax: number;
}

/**
 * Has events sent at a rate: each request goes when its last event is due, or at once when the run is behind. A request never holds
 * more than a second's events, so that a low rate is no burst.
 * @param send sends the next so many; the first rejection ends the run
 */
export async function sendAtRate(pace: Pace, send: (count: number) => Promise<void>, clock: Clock): Promise<void> {
  const { rate, total, inFlightMax } = pace;
  const batch = Math.min(pace.batch, Math.max(1, Math.round(rate)));
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  for (let sent = 0; sent < total && failure === undefined;) {
    const count = Math.min(batch, total - sent);
    sent += count;
    const earlyMs = (sent / rate) * 1000 - clock.now();
    if (earlyMs > 0) await clock.wait(earlyMs);
    const request: Promise<void> = send(count)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => underWay.delete(request));
    underWay.add(request);
    if (underWay.size >= inFlightMax) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure as Error;
}
