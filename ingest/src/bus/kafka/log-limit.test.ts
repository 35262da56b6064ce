import { expect, test } from 'vitest';
import { type BusLog, limitLog, LOG_INTERVAL_MS } from './log-limit.ts';

function setUp() {
  const lines: Parameters<BusLog>[] = [];
  const clock = { nowMs: 1_000 };
  const log = limitLog(
    (...line) => lines.push(line),
    () => clock.nowMs,
  );
  return { lines, clock, log };
}

const AWAY = 'kafkajs BrokerPool: Failed to connect: connect ECONNREFUSED 127.0.0.1:';

test('the first line of a kind comes through whole and at once, later ones once in the interval with how many were left out', () => {
  const { lines, clock, log } = setUp();
  for (let attempt = 0; attempt < 300; attempt++) {
    log('error', AWAY + (attempt % 2 === 0 ? '9092' : '9093'), { retryCount: attempt });
    clock.nowMs += 100;
  }
  log('error', `${AWAY}9092`, { retryCount: 300 });
  expect(lines).toEqual([
    ['error', `${AWAY}9092`, { retryCount: 0 }],
    ['error', `${AWAY}9092`, { retryCount: 300, left_out: 299 }],
  ]);
  clock.nowMs += LOG_INTERVAL_MS;
  log('error', `${AWAY}9092`, { retryCount: 301 });
  expect(lines[2]).toEqual(['error', `${AWAY}9092`, { retryCount: 301 }]);
});

test('other messages, answers, brokers and levels are other kinds', () => {
  const { lines, log } = setUp();
  const kinds: Parameters<BusLog>[] = [
    ['error', 'kafkajs Connection: Response Metadata(key: 3, version: 6)', { broker: 'a:9092', error: 'no leader' }],
    ['error', 'kafkajs Connection: Response Metadata(key: 3, version: 6)', { broker: 'a:9092', error: 'not allowed' }],
    ['error', 'kafkajs Connection: Response Metadata(key: 3, version: 6)', { broker: 'b:9092', error: 'no leader' }],
    ['warn', 'kafkajs Connection: Response Metadata(key: 3, version: 6)', { broker: 'a:9092', error: 'no leader' }],
    ['error', 'kafkajs Connection: Connection timeout', { broker: 'a:9092' }],
  ];
  for (const line of [...kinds, ...kinds]) log(...line);
  expect(lines).toEqual(kinds);
});

test('an id in the message does not make it a new kind', () => {
  const { lines, log } = setUp();
  log('warn', 'Following c: member 3f2a-77b1 is not known', {});
  log('warn', 'Following c: member 90cd-e4f0 is not known', {});
  expect(lines).toHaveLength(1);
});

test('what tells of changes comes through every time', () => {
  const { lines, log } = setUp();
  for (let times = 0; times < 3; times++) log('info', 'kafkajs Consumer: Stopped', {});
  expect(lines).toHaveLength(3);
});

test('a flood of kinds takes no memory without end: the oldest is forgotten, and so comes through again', () => {
  const { lines, log } = setUp();
  const letters = (n: number): string => String.fromCharCode(...[...String(n)].map((digit) => 0x6b + Number(digit)));
  for (let kind = 0; kind <= 500; kind++) log('error', letters(kind), {});
  log('error', letters(500), {});
  expect(lines).toHaveLength(501);
  log('error', letters(0), {});
  expect(lines).toHaveLength(502);
});
