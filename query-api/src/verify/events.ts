import { randomUUID } from 'node:crypto';
import {
  encodeUsageRow,
  normaliseUsageEvent,
  partitionKeyOf,
  ROW_VERSION_HEADER,
  USAGE_ROW_VERSION,
} from '@lanewatch/ingest/contract';
import type { Bus, UsageEventInput } from '@lanewatch/ingest/contract';

/** Events held while the bus is slow or away: about 40 MB. */
const HELD_MAX = 100_000;
const EVENTS_PER_PUBLISH = 2_000;
/** Rows of one key in one record, as ingest packs them. */
const ROWS_PER_RECORD = 64;
/** How long events are gathered: long enough to pack, short enough that few are lost with a process that is killed. */
const GATHER_MS = 20;
const RETRY_MS = 500;
const CLOSE_PATIENCE_MS = 5_000;
const LOSS_TOLD_EVERY_MS = 60_000;

interface Held {
  key: string;
  row: string;
}

/** Events of verify on their way to the ledger, behind its answers. */
export interface VerifyEvents {
  /** Takes an event. Never waits and never fails. */
  add(event: Omit<UsageEventInput, 'id' | 'time'>): void;
  /** Events that the bus does not have yet. */
  readonly waiting: number;
  /** Events that found no room since the start. */
  readonly lost: number;
  /** Gives the bus a moment to take what waits, and tells what it did not. */
  close(): Promise<void>;
}

/**
 * Starts publishing. Verify answers whatever the bus does, so its events wait here: up to {@link HELD_MAX}, beyond that new ones are lost,
 * counted, and told in the log. They go through ingest's own rules for events and keep their ids, so that one sent twice counts once.
 * @param onLoss told how many were lost since it was told last
 */
export function publishVerifyEvents(parts: {
  bus: Bus;
  topic: string;
  now: () => number;
  onFault: (error: unknown) => void;
  onLoss: (events: number) => void;
}): VerifyEvents {
  const { bus, topic, now, onFault, onLoss } = parts;
  let held: Held[] = [];
  let lost = 0;
  let toldLost = 0;
  let toldMs = -Infinity;
  let closing = false;
  let isFaulty = false;
  let running: Promise<void> | null = null;

  function noteLoss(): void {
    lost++;
    if (now() - toldMs < LOSS_TOLD_EVERY_MS) return;
    toldMs = now();
    onLoss(lost - toldLost);
    toldLost = lost;
  }

  async function publishBatch(): Promise<void> {
    const batch = held.slice(0, EVENTS_PER_PUBLISH);
    await bus.publish(topic, recordsOf(batch));
    held = held.slice(batch.length);
  }

  async function run(): Promise<void> {
    await pause(GATHER_MS);
    while (held.length > 0) {
      try {
        await publishBatch();
        isFaulty = false;
      } catch (error) {
        if (!isFaulty) onFault(error);
        isFaulty = true;
        if (closing) return;
        await pause(RETRY_MS);
      }
    }
  }

  function start(): void {
    running ??= run().finally(() => {
      running = null;
      if (held.length > 0 && !closing) start();
    });
  }

  return {
    add(event) {
      if (held.length >= HELD_MAX) return noteLoss();
      const nowMs = now();
      const whole = { ...event, id: randomUUID(), time: new Date(nowMs).toISOString() };
      const normal = normaliseUsageEvent(whole, { receivedAt: nowMs, collector: '', invalidFingerprint: 'drop' });
      if (!normal.ok) return noteLoss();
      held.push({ key: partitionKeyOf(normal.event), row: encodeUsageRow(normal.event) });
      start();
    },
    get waiting() {
      return held.length;
    },
    get lost() {
      return lost;
    },
    async close() {
      closing = true;
      const patience = setTimeoutOf(CLOSE_PATIENCE_MS);
      await Promise.race([running ?? Promise.resolve(), patience.over]);
      patience.cancel();
      if (held.length > 0 || lost > toldLost) onLoss(held.length + lost - toldLost);
    },
  };
}

/** Packs rows of one key into records, in order. */
function recordsOf(batch: readonly Held[]): { key: string; value: Buffer; headers: Record<string, string> }[] {
  const headers = { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION };
  return [...Map.groupBy(batch, ({ key }) => key)].flatMap(([key, rows]) =>
    Array.from({ length: Math.ceil(rows.length / ROWS_PER_RECORD) }, (_, index) => {
      const lines = rows.slice(index * ROWS_PER_RECORD, (index + 1) * ROWS_PER_RECORD).map(({ row }) => row);
      return { key, value: Buffer.from(lines.join('\n'), 'utf8'), headers };
    }),
  );
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function setTimeoutOf(ms: number): { over: Promise<void>; cancel(): void } {
  let cancel = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    cancel = () => clearTimeout(timer);
  });
  return { over, cancel };
}
