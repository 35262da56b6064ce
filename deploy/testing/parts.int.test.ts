import net from 'node:net';
import { describe, expect, inject, it } from 'vitest';

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

describe('the parts that a run provides', () => {
  it.skipIf(inject('kafkaBrokers') === null)('Kafka is there', async () => {
    const [host, port] = inject('kafkaBrokers')!.split(',')[0]!.split(':');
    expect(await connects(host!, Number(port))).toBe(true);
  });

  it.skipIf(inject('postgresUrl') === null)('Postgres is there', async () => {
    const url = new URL(inject('postgresUrl')!);
    expect(await connects(url.hostname, Number(url.port))).toBe(true);
  });

  it.skipIf(inject('clickhouseServer') === null)('ClickHouse answers', async () => {
    const { url, user, password } = inject('clickhouseServer')!;
    const headers = { 'x-clickhouse-user': user, 'x-clickhouse-key': password };
    const answer = await fetch(url, { method: 'POST', headers, body: 'SELECT 1' });
    expect(await answer.text()).toBe('1\n');
  });
});
