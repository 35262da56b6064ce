import { afterAll, beforeAll, beforeEach } from 'vitest';
import { newDesk } from './fake-desk.ts';
import { newGovernance } from './fake-governance.ts';
import type { FakeQueryApi } from './fake-query-api.ts';
import { startStage, type Stage } from './harness.ts';
import { organisation } from './organisation.ts';

/** A fresh organisation, in a fake that answers an admin. */
const begun = () =>
  ({
    ...{ org: organisation(Date.now()), desk: newDesk(), governance: newGovernance() },
    ...{ role: 'admin', setup: 'done', commands: 'answered', ledgerAway: false },
  }) satisfies Partial<FakeQueryApi>;

/**
 * One stage for the tests of a file, each of which begins with nothing of those before it.
 * @param begin opens what a test needs; returns what closes it
 */
export function onStage(begin: (stage: Stage) => Promise<() => Promise<void>>): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage.close());
  beforeEach(() => {
    Object.assign(stage.fake, begun());
    stage.fake.received.length = 0;
    return begin(stage);
  });
}
