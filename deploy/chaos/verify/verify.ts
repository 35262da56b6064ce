import type { System } from '../system/system.ts';
import type { SentEvents } from '../workload/collectors.ts';
import type { Registry } from '../workload/lanes.ts';
import { createCheck, type CheckResult } from './check.ts';
import { checkDeadLetters } from './dead-letters.ts';
import { checkFindings } from './findings.ts';
import { checkJoined } from './joined-reports.ts';
import { checkRows } from './ledger-rows.ts';
import { readTopic } from './read-topic.ts';
import { referenceOf } from './reference.ts';
import { checkRollUps } from './roll-ups.ts';

export interface VerifyOptions {
  system: System;
  registry: Registry;
  events: SentEvents;
  /** Values of undecodable records that the bus confirmed. */
  bad: readonly string[];
}

/**
 * Everything that must hold once the load has ended and the ledger has caught up. The engine is killed once more first: what
 * counts is what is on disk.
 */
export async function verify({ system, registry, events, bad }: VerifyOptions): Promise<CheckResult[]> {
  // In order: what a detector has begun (findings of the last batch) it has to finish.
  const codes = await Promise.all([system.ingest, ...system.detectors].map((service) => service.stop()));
  const orderly = createCheck('services end in order');
  if (codes.some((code) => code !== 0)) orderly.fail(`exit codes ${codes.join(', ')}`);
  await system.engine.kill();
  await system.engine.restart();

  const { bus, topics } = system;
  const { client } = system.engine;
  const refused = createCheck('no valid event was refused');
  for (const refusal of events.refusals) refused.fail(refusal);
  const reference = await referenceOf(await readTopic(bus, topics.usage.name), registry.records);
  return [
    refused.result(`${events.counts.posts} posts`),
    orderly.result('ingest and detectors'),
    ...(await checkRows(client, events, reference.rows)),
    ...(await checkJoined(client)),
    ...(await checkRollUps(client)),
    ...(await checkFindings(client, reference.findings, await readTopic(bus, topics.findings.name))),
    checkDeadLetters(bad, await readTopic(bus, topics.deadLetter.name)),
  ];
}
