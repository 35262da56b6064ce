import { expect, test } from 'vitest';
import { ledgerRow } from '../testing.ts';
import { LedgerBlock } from './ledger-block.ts';

test('a block is written only when it is sealed, and takes no row after', () => {
  const block = new LedgerBlock();
  block.add(ledgerRow());
  expect(() => block.bytes('me')).toThrow('not sealed');
  block.seal(1);
  const bytes = Buffer.from(block.bytes('me'));
  expect(() => block.add(ledgerRow())).toThrow('no more rows');
  expect(() => block.seal(2)).toThrow('sealed already');
  expect(block.bytes('me').equals(bytes)).toBe(true);
});

test('a block that is used again is the same as a new one', () => {
  const used = new LedgerBlock();
  for (let index = 0; index < 3_000; index++)
    used.add(ledgerRow({ id: `event ${index}`, user: `user ${index}`, flags: ['redacted'] }));
  used.seal(1);
  used.start();
  const fresh = new LedgerBlock();
  for (const block of [used, fresh]) {
    block.add(ledgerRow());
    block.seal(2);
  }
  expect(used.length).toBe(1);
  expect(used.bytes('me').equals(fresh.bytes('me'))).toBe(true);
});
