/** How long a creation that is sent again gets its secret again: as long as a form that was sent twice takes. */
const KEPT_MS = 60_000;
/** Secrets held at most; more at once are no double submits. */
const HELD_MAX = 1_000;

/**
 * Secrets that were just made, by credential, for the second answer of a form that was sent twice: of two answers a browser shows the
 * last. In memory only, and not for long.
 */
export function createSecretMemory(now: () => number): {
  keep(id: string, secret: string): void;
  /** null once it is forgotten. */
  of(id: string): string | null;
} {
  const held = new Map<string, { secret: string; untilMs: number }>();

  function forget(): void {
    for (const [id, { untilMs }] of held) if (untilMs <= now()) held.delete(id);
  }

  return {
    keep(id, secret) {
      forget();
      const [oldest] = held.keys();
      if (held.size >= HELD_MAX && oldest !== undefined) held.delete(oldest);
      held.set(id, { secret, untilMs: now() + KEPT_MS });
      setTimeout(forget, KEPT_MS + 1).unref();
    },
    of(id) {
      forget();
      return held.get(id)?.secret ?? null;
    },
  };
}
