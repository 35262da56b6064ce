import { expect, test, vi } from 'vitest';
import { RecordRefusedError } from '../errors.ts';
import type { Producer } from './client.ts';
import { createRequest } from './request.ts';

type Batch = Parameters<Producer['sendBatch']>[0];

/** A producer that acknowledges the partitions that `answers` names, one list per call. */
function requestWith(answers: number[][], partitions: number) {
  const sent: number[][] = [];
  const sendBatch = vi.fn((batch: Batch) => {
    sent.push(batch.topicMessages!.flatMap(({ messages }) => messages.map(({ partition }) => partition!)));
    return Promise.resolve(answers.shift()!.map((partition) => ({ topicName: 't', partition, errorCode: 0 })));
  });
  const request = createRequest({ sendBatch }, { now: () => Promise.resolve(partitions) }, 1_000);
  const parts = (...numbers: number[]) =>
    numbers.map((partition) => ({ topic: 't', partition, messages: [{ value: null, partition }] }));
  return { sent, send: (...numbers: number[]) => request(parts(...numbers)) };
}

test('what kafkajs left out of a request is sent again, and nothing else', async () => {
  const { sent, send } = requestWith([[0, 2], [1]], 3);
  await send(0, 1, 2);
  expect(sent).toEqual([[0, 1, 2], [1]]);
});

test('what is left out again is a fault for now where the topic has the partition, else a refusal for good', async () => {
  const there = requestWith([[0], []], 2).send(0, 1);
  await expect(there).rejects.toThrow('kafkajs sent nothing to t/1');
  await expect(there).rejects.not.toBeInstanceOf(RecordRefusedError);
  await expect(requestWith([[0], []], 1).send(0, 1)).rejects.toBeInstanceOf(RecordRefusedError);
});
