import { LATENCY_MS_MAX } from '../../contract/index.ts';

/**
 * A duration as a program reports it, in milliseconds, where an event can have it. Clocks of several machines make it negative, and a
 * machine that slept for days makes it too long: neither is a fault of the request, which must not be lost with it.
 */
export function latencyOrNone(milliseconds: number | null | undefined): number | undefined {
  const isPossible = typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds <= LATENCY_MS_MAX;
  return isPossible ? milliseconds : undefined;
}
