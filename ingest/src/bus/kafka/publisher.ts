import { BusUnavailableError } from '../../../contract/bus.ts';
import type { OutgoingRecord } from '../../../contract/bus.ts';
import { RecordRefusedError } from '../errors.ts';
import { placementIn } from '../partition.ts';
import { brokerErrorType, createProducer, isRetriable } from './client.ts';
import type { Kafka, Message, Producer } from './client.ts';
import { createRequest, type PartitionCounts } from './request.ts';

export interface Publisher {
  publish(topic: string, records: OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Bytes of one record batch at most, unless a single record is larger: below the 1,048,588 bytes that brokers and operators'
 * topics accept by default.
 */
const BATCH_BYTES_MAX = 900_000;
/** Bytes of one produce request at most. Small enough that the next request is being encoded while the broker writes this one. */
const REQUEST_BYTES_MAX = 2 * 1024 * 1024;
/** Requests under way at once. They never touch the same partition, so a retry cannot change the order within one. */
const REQUESTS_IN_FLIGHT_MAX = 4;
/** What may wait to be sent; beyond it the bus is as good as down. */
const QUEUED_BYTES_MAX = 64 * 1024 * 1024;
/** The largest record: what `ensureTopics` allows a topic to hold, less room for headers and framing. */
const RECORD_BYTES_MAX = 15 * 1024 * 1024;
/** Kafka's framing of a record, rounded up. */
const RECORD_OVERHEAD_BYTES = 32;

/** Refusals that depend on the record and not on the state of the cluster. */
const REFUSALS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_MESSAGE',
  'CORRUPT_MESSAGE',
]);

/** One call of publish, until its last record is acknowledged. */
interface Ticket {
  open: boolean;
  waiting: number;
  resolve(): void;
  reject(error: Error): void;
}

interface Queued {
  message: Message;
  bytes: number;
  ticket: Ticket;
}

/** Records of one partition that wait to be sent. `busy` while some of them are under way. */
interface Lane {
  topic: string;
  partition: number;
  queue: Queued[];
  head: number;
  busy: boolean;
}

/** Records of one partition in a request. */
interface Sending {
  lane: Lane;
  queued: Queued[];
}

/**
 * Publishes with acks=all. Calls that come while requests are under way travel together in the next ones, so that a thousand
 * small calls cost a few requests. Records of one partition go out strictly in the order of the calls.
 *
 * Not kafkajs' idempotent mode: it serialises all requests of a broker and loses its sequence after some errors; a record that a
 * retry writes twice is recognised downstream by its event's identity.
 */
export function createPublisher(kafka: Kafka, partitionCounts: PartitionCounts, publishTimeoutMs: number): Publisher {
  const producer: Producer = createProducer(kafka, {
    allowAutoTopicCreation: false,
    // Keeps trying for as long as anybody waits; delays grow 100, 200, 400, 400 … ms.
    retry: { initialRetryTime: 100, maxRetryTime: 400, retries: Math.ceil(publishTimeoutMs / 400) + 2 },
  });
  const request = createRequest(producer, partitionCounts, publishTimeoutMs);
  const lanes = new Map<string, Lane>();
  /** Lanes with something to send, in the order in which they are served. */
  const ready = new Set<Lane>();
  let queuedBytes = 0;
  let inFlight = 0;
  let closed = false;
  let connecting: Promise<void> | null = null;
  let lastError: unknown;
  let whenIdle: (() => void)[] = [];

  const connect = (): Promise<void> => {
    connecting ??= producer.connect().catch((error: unknown) => {
      connecting = null;
      throw error;
    });
    return connecting;
  };

  function laneOf(topic: string, partition: number): Lane {
    const name = `${topic}/${partition}`;
    let lane = lanes.get(name);
    if (!lane) {
      lane = { topic, partition, queue: [], head: 0, busy: false };
      lanes.set(name, lane);
    }
    return lane;
  }

  /** Takes what one request may carry of a lane; records whose caller has given up are left out. */
  function take(lane: Lane, bytesMax: number): Queued[] {
    const taken: Queued[] = [];
    let bytes = 0;
    while (lane.head < lane.queue.length) {
      const next = lane.queue[lane.head]!;
      if (taken.length > 0 && bytes + next.bytes > bytesMax) break;
      lane.head++;
      queuedBytes -= next.bytes;
      if (!next.ticket.open) continue;
      taken.push(next);
      bytes += next.bytes;
    }
    if (lane.head === lane.queue.length) {
      lane.queue = [];
      lane.head = 0;
    } else if (lane.head > 10_000) {
      lane.queue = lane.queue.slice(lane.head);
      lane.head = 0;
    }
    return taken;
  }

  function pump(): void {
    while (inFlight < REQUESTS_IN_FLIGHT_MAX && ready.size > 0) {
      const sending: Sending[] = [];
      let bytes = 0;
      for (const lane of ready) {
        if (bytes >= REQUEST_BYTES_MAX) break;
        ready.delete(lane);
        const queued = take(lane, BATCH_BYTES_MAX);
        if (queued.length === 0) continue;
        lane.busy = true;
        for (const { bytes: size } of queued) bytes += size;
        sending.push({ lane, queued });
      }
      if (sending.length === 0) continue;
      inFlight++;
      void send(sending);
    }
    if (inFlight === 0 && ready.size === 0) {
      const idle = whenIdle;
      whenIdle = [];
      for (const resolve of idle) resolve();
    }
  }

  async function send(sending: Sending[]): Promise<void> {
    try {
      await connect();
      await sendOnce(sending);
      for (const { queued } of sending) for (const { ticket } of queued) acknowledge(ticket);
    } catch (error) {
      lastError = error;
      const tickets = new Set(sending.flatMap(({ queued }) => queued.map(({ ticket }) => ticket)));
      if (isRefusal(error) && tickets.size > 1) await sendApart(sending, tickets);
      else for (const ticket of tickets) fail(ticket, error);
    } finally {
      inFlight--;
      for (const { lane } of sending) {
        lane.busy = false;
        if (lane.queue.length > 0) ready.add(lane);
      }
      pump();
    }
  }

  const sendOnce = (sending: Sending[]): Promise<void> =>
    request(
      sending.map(({ lane: { topic, partition }, queued }) => ({
        topic,
        partition,
        messages: queued.map(({ message }) => message),
      })),
    );

  /** One caller's bad record must not fail the others who happened to travel with it. */
  async function sendApart(sending: Sending[], tickets: Set<Ticket>): Promise<void> {
    for (const ticket of tickets) {
      const own = sending
        .map(({ lane, queued }) => ({ lane, queued: queued.filter((item) => item.ticket === ticket) }))
        .filter(({ queued }) => queued.length > 0);
      try {
        await sendOnce(own);
        for (const { queued } of own) for (const item of queued) acknowledge(item.ticket);
      } catch (error) {
        fail(ticket, error);
      }
    }
  }

  function acknowledge(ticket: Ticket): void {
    if (--ticket.waiting === 0) ticket.resolve();
  }

  function fail(ticket: Ticket, error: unknown): void {
    if (error instanceof RecordRefusedError) ticket.reject(error);
    else if (isRefusal(error)) {
      const reason = brokerErrorType(error);
      ticket.reject(new RecordRefusedError(`The broker refuses a record (${reason})`, { cause: error }));
    } else ticket.reject(unavailable('Kafka did not acknowledge the records', error));
  }

  return {
    async publish(topic, records) {
      if (closed) throw new BusUnavailableError('The bus is closed');
      if (records.length === 0) return;
      for (const record of records)
        if (record.value.length > RECORD_BYTES_MAX)
          throw new RecordRefusedError(`A record of ${record.value.length} bytes is larger than ${RECORD_BYTES_MAX}`);
      if (queuedBytes > QUEUED_BYTES_MAX) throw unavailable('Too many records wait for Kafka', lastError);
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      const ticket: Ticket = {
        open: true,
        waiting: records.length,
        resolve: () => {
          resolve(undefined);
        },
        reject,
      };
      const timer = setTimeout(() => {
        reject(unavailable(`Kafka did not acknowledge the records within ${publishTimeoutMs} ms`, lastError));
      }, publishTimeoutMs);
      try {
        const enqueued = partitionCounts.known(topic).then((partitions) => {
          if (ticket.open) enqueue(topic, records, partitions, ticket);
        });
        enqueued.catch(reject);
        await promise;
      } finally {
        ticket.open = false;
        clearTimeout(timer);
      }
    },
    async close() {
      closed = true;
      await Promise.race([
        new Promise<void>((resolve) => {
          whenIdle.push(resolve);
          pump();
        }),
        new Promise<void>((resolve) => setTimeout(resolve, publishTimeoutMs).unref()),
      ]);
      await producer.disconnect().catch(() => undefined);
    },
  };

  function enqueue(topic: string, records: OutgoingRecord[], partitions: number, ticket: Ticket): void {
    const partitionOf = placementIn(topic, partitions);
    for (const record of records) {
      const { key, value, headers } = record;
      const partition = partitionOf(record);
      const bytes = value.length + (key?.length ?? 0) + RECORD_OVERHEAD_BYTES;
      const lane = laneOf(topic, partition);
      const buffer = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      lane.queue.push({ message: { key, value: buffer, partition, ...(headers ? { headers } : {}) }, bytes, ticket });
      queuedBytes += bytes;
      if (!lane.busy) ready.add(lane);
    }
    // At the end of this turn, so that calls of the same turn travel together.
    queueMicrotask(pump);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof RecordRefusedError || REFUSALS.has(brokerErrorType(error));
}

/** A {@link BusUnavailableError} that says what the client library said. */
export function unavailable(what: string, cause: unknown): BusUnavailableError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  const hint =
    cause instanceof Error && !isRetriable(cause) && brokerErrorType(cause) ? ` (${brokerErrorType(cause)})` : '';
  return new BusUnavailableError(`${what}${why}${hint}`, { cause });
}
