import type { Logger } from 'pino';
import { expect, test } from 'vitest';
import { ApiProblem } from './problem.ts';
import { createRefusalLog } from './refusal-log.ts';

test('senders that are not let in are warned of once a minute, with how many there were; other refusals are for debugging', () => {
  const lines: [string, unknown][] = [];
  const log = {
    warn: (facts: object) => lines.push(['warn', facts]),
    debug: (facts: object) => lines.push(['debug', facts]),
  } as unknown as Logger;
  let now = 1_000;
  const refused = createRefusalLog(log, () => now);
  const wrongKey = new ApiProblem('unauthenticated', 'No such key.');
  for (let request = 0; request < 5; request++) refused(wrongKey, `r${request}`, '::ffff:10.0.0.7');
  refused(new ApiProblem('forbidden', 'Not with this key.'), 'r5', '10.0.0.8');
  refused(new ApiProblem('invalid_body', 'Not JSON.'), 'r6', '10.0.0.7');
  now += 60_000;
  refused(wrongKey, 'r7', '10.0.0.7');
  expect(lines).toEqual([
    ['warn', { code: 'unauthenticated', request_id: 'r0', address: '10.0.0.7', refused: 1, reason: 'No such key.' }],
    ['warn', { code: 'forbidden', request_id: 'r5', address: '10.0.0.8', refused: 1, reason: 'Not with this key.' }],
    ['debug', { code: 'invalid_body', request_id: 'r6' }],
    ['warn', { code: 'unauthenticated', request_id: 'r7', address: '10.0.0.7', refused: 5, reason: 'No such key.' }],
  ]);
});
