import { expect, it } from 'vitest';
import { shownReasons } from './reasons.ts';

it('says what weak governance lacks, and leaves out what the standing says already', () => {
  const posture = [
    { reason: 'unknown_key' as const, text: 'Not in the registry.' },
    { reason: 'shared_too_broadly' as const, text: '3 people used it; it was declared for 2.' },
    { reason: 'weakly_governed' as const, text: 'No owner, no expiry.' },
  ];
  expect(shownReasons({ posture }).map(({ words }) => words)).toEqual([
    'shared too broadly',
    'weakly governed: no owner, no expiry',
  ]);
});
