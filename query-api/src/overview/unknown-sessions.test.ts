import { expect, test } from 'vitest';
import { unknownSessionsOf } from './unknown-sessions.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const use = (lane: string, session: string, minutes: number, costUsd: string) => ({
  ...{ lane, session, lastMs: NOW - minutes * 60_000, costUsd },
});

test('a live key without sessions spends, and is no session', () => {
  const uses = [
    use('a', 'run', 5, '0.5'),
    use('b', 'run', 50, '0.25'),
    use('a', '', 5, '0.1'),
    use('b', '', 31, '7'),
    use('known', '', 1, '9'),
  ];
  expect(unknownSessionsOf(uses, NOW, (lane) => lane !== 'known')).toEqual({
    sessions: 1,
    live: 1,
    liveSpendUsd: '0.85',
  });
});
