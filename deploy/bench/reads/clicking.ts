import { setTimeout as delay } from 'node:timers/promises';

/** How long each answer took, by what was asked, in milliseconds. */
export type Timings = Map<string, number[]>;

/** One answer that a reader waited for. */
export interface Click {
  name: string;
  url: string;
}

/**
 * Readers that click, wait for the answer, look at it and click again, until told to stop.
 * @param options.thinkMs how long one looks at a page, in the mean
 * @throws Error at the first answer that is none
 */
export async function clickAround(options: {
  readers: number;
  thinkMs: number;
  forMs: number;
  next: () => Click;
  random: () => number;
  cookie: string;
  signal: AbortSignal;
}): Promise<Timings> {
  const { readers, thinkMs, forMs, next, random, cookie, signal } = options;
  const timings: Timings = new Map();
  const endMs = performance.now() + forMs;
  await Promise.all(
    Array.from({ length: readers }, async () => {
      await delay(random() * thinkMs);
      while (performance.now() < endMs && !signal.aborted) {
        const { name, url } = next();
        const ms = await timeOf(url, cookie);
        timings.set(name, [...(timings.get(name) ?? []), ms]);
        await delay(thinkMs * (0.5 + random()));
      }
    }),
  );
  return timings;
}

/** Milliseconds until the whole answer is there. */
export async function timeOf(url: string, cookie: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(url, { headers: { cookie, accept: 'text/html, application/json' }, redirect: 'manual' });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.slice(0, 300)}`);
  return performance.now() - startedMs;
}

/** The figure that so large a share of the figures does not exceed. */
export function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
