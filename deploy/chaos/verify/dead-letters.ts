import type { BusRecord } from '@lanewatch/ingest/contract';
import { createCheck, type CheckResult } from './check.ts';

/** Every record that could not be decoded must be on the dead-letter topic with its bytes and a reason; repeats are fine. */
export function checkDeadLetters(bad: readonly string[], topic: ReadonlyMap<number, BusRecord[]>): CheckResult {
  const check = createCheck('every undecodable record is a dead letter with its bytes and a reason');
  const reasons = new Map<string, string>();
  for (const records of topic.values())
    for (const { value, headers } of records) reasons.set(value.toString('utf8'), headers['reason'] ?? '');
  for (const text of bad) {
    const reason = reasons.get(text);
    if (reason === undefined) check.fail(`missing: ${text}`);
    else if (reason === '') check.fail(`without a reason: ${text}`);
  }
  const expected = new Set(bad);
  for (const text of reasons.keys()) if (!expected.has(text)) check.fail(`nobody sent: ${text.slice(0, 200)}`);
  return check.result(`${bad.length} records`);
}
