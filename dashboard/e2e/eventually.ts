import { expect } from 'vitest';

/** An assertion on what a page shows soon: asked again until it holds, up to a limit that a busy machine keeps. */
export const eventually = <Value>(ask: () => Promise<Value> | Value) =>
  expect.poll(ask, { timeout: 20_000, interval: 100 });
