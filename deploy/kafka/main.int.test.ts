import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { tempDir, until } from '../testing/helpers.ts';
import { freePort } from './start-kafka.ts';

/** `npm run kafka`, without npm. */
async function runKafka(port: number) {
  const args = ['--port', String(port), '--dir', join(await tempDir(), 'kafka'), '--heap-mb', '256'];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args]);
  onTestFinished(() => void child.kill('SIGTERM'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => text, ended };
}

it('a broker of somebody else on the port is not taken for the one that was asked for', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const run = await runKafka(port);
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(
    new RegExp(`^Port ${port} for the Kafka broker is taken by process ${process.pid} .*KAFKA_PORT=`),
  );
});

it('a port that none has is told by the option that names it', async () => {
  const run = await runKafka(70_000);
  expect(await run.ended).toBe(1);
  expect(run.output()).toBe('--port must be a whole number from 1 to 65535, not "70000".\n');
});

it.skipIf(inject('kafkaBrokers') === null)('a broker that ends by itself is told with its log and fails', async () => {
  const run = await runKafka(await freePort());
  await until(() => run.output().includes('Kafka answers on'), 60_000, `Kafka; so far:\n${run.output()}`);
  process.kill(Number(/\(pid (\d+)/.exec(run.output())![1]), 'SIGKILL');
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(/Kafka ended by itself; the end of its log in .*\/kafka:\n/);
});

it.skipIf(inject('kafkaBrokers') === null)('stopped while it starts, it leaves no broker behind', async () => {
  const port = await freePort();
  const run = await runKafka(port);
  const broker = () =>
    readdirSync('/proc').find(
      (pid) => /^\d+$/.test(pid) && parentOf(pid) === run.child.pid && commandOf(pid).includes('kafka.Kafka'),
    );
  const pid = await until(broker, 60_000, `the broker; so far:\n${run.output()}`);
  run.child.kill('SIGTERM');
  expect(await run.ended).toBe(130);
  await until(() => commandOf(pid) === '', 5_000, 'the end of the broker');
});

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
const commandOf = (pid: string) => textOf(`/proc/${pid}/cmdline`);
const parentOf = (pid: string) => Number(/^PPid:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]);
