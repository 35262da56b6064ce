import { RecordRefusedError } from '../errors.ts';
import { isUnknownPartition } from './client.ts';
import type { Message, Producer } from './client.ts';

/** How many partitions a topic has. Both reject when Kafka does not answer, and when it has no such topic. */
export interface PartitionCounts {
  /** As known of late; asks only where nothing is known yet. */
  known(topic: string): Promise<number>;
  /** As it is now. */
  now(topic: string): Promise<number>;
}

/** What a request carries for one partition. */
export interface PartitionMessages {
  topic: string;
  partition: number;
  messages: Message[];
}

/**
 * Makes a function that sends one request with acks=all. It resolves when Kafka has acknowledged every partition of it, and not when
 * kafkajs says so: that leaves out, without a word, partitions that it does not know, and on a retry those whose leader is now a broker
 * that has answered before.
 *
 * The function throws RecordRefusedError for a partition that the topic does not have (any more), and whatever kafkajs throws.
 */
export function createRequest(
  producer: Pick<Producer, 'sendBatch'>,
  partitionCounts: Pick<PartitionCounts, 'now'>,
  timeoutMs: number,
): (parts: PartitionMessages[]) => Promise<void> {
  /** Sends, and gives back what was not acknowledged. */
  async function attempt(parts: PartitionMessages[]): Promise<PartitionMessages[]> {
    const messages = new Map<string, Message[]>();
    for (const part of parts) {
      const sameTopic = messages.get(part.topic);
      if (sameTopic) for (const message of part.messages) sameTopic.push(message);
      else messages.set(part.topic, [...part.messages]);
    }
    const topicMessages = [...messages].map(([topic, ofTopic]) => ({ topic, messages: ofTopic }));
    try {
      const answers = await producer.sendBatch({ acks: -1, timeout: timeoutMs, topicMessages });
      const acknowledged = new Set(answers.map(({ topicName, partition }) => nameOf(topicName, partition)));
      return parts.filter(({ topic, partition }) => !acknowledged.has(nameOf(topic, partition)));
    } catch (error) {
      if (isUnknownPartition(error)) return parts;
      throw error;
    }
  }

  return async (parts) => {
    let leftOut = await attempt(parts);
    // By now kafkajs has asked the cluster again, and knows of partitions that were added.
    if (leftOut.length > 0) leftOut = await attempt(leftOut);
    if (leftOut.length === 0) return;
    for (const { topic, partition } of leftOut) {
      if (partition >= (await partitionCounts.now(topic)))
        throw new RecordRefusedError(`Topic ${topic} has no partition ${partition}`);
    }
    const names = leftOut.map(({ topic, partition }) => nameOf(topic, partition));
    throw new Error(`kafkajs sent nothing to ${names.join(', ')}`);
  };
}

const nameOf = (topic: string, partition: number) => `${topic}/${partition}`;
