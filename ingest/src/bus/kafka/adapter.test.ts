import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { openBus } from '../open.ts';

test('a bus whose brokers are away tries again and again, and says so once', async () => {
  // A port that refuses every connection, as nobody listens on it any more.
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve(free));
    });
  });
  const errors: string[] = [];
  const bus = await openBus(`kafka://127.0.0.1:${port}`, {
    publishTimeoutMs: 300,
    onLog: (level, message) => level === 'error' && errors.push(message),
  });
  for (let times = 0; times < 3; times++) {
    const record = { key: null, value: Buffer.from('x'), partition: 0 };
    await expect(bus.publish('usage', [record])).rejects.toMatchObject({ name: 'BusUnavailableError' });
  }
  await bus.close();
  expect(errors).toContainEqual(expect.stringContaining('ECONNREFUSED'));
  expect(errors).toEqual([...new Set(errors)]);
});
