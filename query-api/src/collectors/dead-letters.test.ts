import type { BusRecord } from '@lanewatch/ingest/contract';
import { describe, expect, it } from 'vitest';
import { createDeadLetters } from './dead-letters.ts';

const record = (offset: number, bytes = 10, headers: Record<string, string> = {}): BusRecord => ({
  ...{ partition: 0, offset, key: null, timestamp: offset },
  value: Buffer.alloc(bytes, 'x'),
  headers: { reason: 'is no JSON', partition: '3', offset: String(offset), record_index: '0', ...headers },
});

describe('dead letters', () => {
  it('are held newest first, a repeat of one place once', () => {
    const letters = createDeadLetters();
    for (const offset of [1, 2, 1]) letters.apply(record(offset));
    expect(letters.all().map(({ id }) => id)).toEqual(['3-1-0', '3-2-0']);
    expect(letters.byId('3-2-0')).toMatchObject({ reason: 'is no JSON', partition: 3, originalBytes: 10 });
  });

  it('are bounded in number and in bytes, the oldest first to go', () => {
    const letters = createDeadLetters({ letters: 3, bytes: 100 });
    for (let offset = 0; offset < 5; offset++) letters.apply(record(offset));
    expect(letters.count).toBe(3);
    letters.apply(record(9, 85));
    expect(letters.all().map(({ offset }) => offset)).toEqual([9, 4]);
  });

  it('have their own bytes, and know what was cut', () => {
    const letters = createDeadLetters();
    const taken = record(1, 4, { original_bytes: '4000' });
    letters.apply(taken);
    taken.value.fill('y');
    expect(letters.byId('3-1-0')).toMatchObject({ value: Buffer.from('xxxx'), originalBytes: 4000 });
  });

  it('are not what somebody else wrote to the topic', () => {
    const letters = createDeadLetters();
    letters.apply(record(1, 4, { partition: 'x' }));
    expect(letters.count).toBe(0);
  });
});
