import { randomUUID } from 'node:crypto';
import type { ClickHouse } from '../clickhouse.ts';
import { readFindings } from '../findings/findings.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { ChannelRow } from './channels.ts';
import { unseal } from '../seal.ts';
import { send } from './send.ts';
import type { Destination, SendOptions } from './send.ts';
import type { Attempt } from './post.ts';
import type { Message } from './message.ts';
import { afterQuiet, GIVE_UP_MS, nextSendMs, retryDelayMs } from './when.ts';

/** Findings in one message. */
const PER_MESSAGE_MAX = 200;
/** Messages to one channel in one go, so that one with many does not keep the others waiting. */
const MESSAGES_MAX = 10;
/** Attempts kept of each channel. */
const DELIVERIES_KEPT = 1_000;

export interface DeliverParts extends SendOptions {
  store: ClickHouse;
  db: RegistryDatabase;
  authSecret: string;
  dashboardUrl: string;
  now: () => number;
}

/** Sends a channel what is due. */
export async function deliverTo(parts: DeliverParts, channel: ChannelRow): Promise<void> {
  let lastSentMs = channel.last_sent_at?.getTime() ?? null;
  for (let count = 0; count < MESSAGES_MAX; count++) {
    const nowMs = parts.now();
    if (afterQuiet(channel, nowMs) > nowMs) return;
    const message = await nextMessage(parts, channel, lastSentMs, nowMs);
    if (message === null) return;
    const attempt = await attemptOnce(parts, channel, message);
    await noteAttempt(parts, channel, message, attempt);
    if (!attempt.ok) return;
    lastSentMs = nowMs;
  }
}

interface NextMessage {
  deliveryId: string;
  ids: string[];
  attempts: number;
  sinceMs: number;
}

/** The message to send now: one begun before, so that it is the same again, or a new one of what waits; null for none. */
async function nextMessage(
  { db }: DeliverParts,
  channel: ChannelRow,
  lastSentMs: number | null,
  nowMs: number,
): Promise<NextMessage | null> {
  const due = () =>
    db
      .selectFrom('channel_notices')
      .selectAll()
      .where('channel_id', '=', channel.id)
      .where('state', '=', 'waiting')
      .where('due_at', '<=', new Date(nowMs))
      .orderBy('created_at')
      .orderBy('finding_id');
  const begun = await due().where('delivery_id', 'is not', null).limit(1).executeTakeFirst();
  if (begun !== undefined) {
    const rows = await due().where('delivery_id', '=', begun.delivery_id).execute();
    return messageOf(begun.delivery_id!, rows);
  }
  if (nextSendMs(channel, lastSentMs, nowMs) > nowMs) return null;
  const rows = await due()
    .where('delivery_id', 'is', null)
    .limit(channel.pace === 'each' ? 1 : PER_MESSAGE_MAX)
    .execute();
  if (rows.length === 0) return null;
  const deliveryId = randomUUID();
  await db
    .updateTable('channel_notices')
    .set({ delivery_id: deliveryId })
    .where('channel_id', '=', channel.id)
    .where(({ or, and, eb }) =>
      or(rows.map((row) => and([eb('finding_id', '=', row.finding_id), eb('opening', '=', row.opening)]))),
    )
    .execute();
  return messageOf(deliveryId, rows);
}

function messageOf(
  deliveryId: string,
  rows: readonly { finding_id: string; attempts: number; created_at: Date }[],
): NextMessage {
  return {
    deliveryId,
    ids: [...new Set(rows.map(({ finding_id: id }) => id))],
    attempts: rows[0]?.attempts ?? 0,
    sinceMs: rows[0]?.created_at.getTime() ?? 0,
  };
}

async function attemptOnce(
  parts: DeliverParts,
  channel: ChannelRow,
  { deliveryId, ids }: NextMessage,
): Promise<Attempt & { durationMs: number }> {
  const { store, db, dashboardUrl, now } = parts;
  const findings = await readFindings(store, db, ids, now());
  findings.sort((one, other) => other.risk - one.risk || one.id.localeCompare(other.id));
  return sendNow(parts, channel, { deliveryId, findings, dashboardUrl, isTest: false });
}

/** Sends one message, whatever waits. */
export async function sendNow(
  parts: DeliverParts,
  channel: ChannelRow,
  message: Message,
): Promise<Attempt & { durationMs: number }> {
  const startedMs = parts.now();
  let destination: Destination;
  try {
    destination = JSON.parse(unseal(channel.sealed, parts.authSecret, 'channels').toString('utf8')) as Destination;
  } catch {
    return {
      ok: false,
      detail: 'Its address can’t be read: the sign-in secret was changed. Make it anew.',
      durationMs: 0,
    };
  }
  const attempt = await send(channel.kind, destination, message, parts, startedMs);
  return { ...attempt, durationMs: parts.now() - startedMs };
}

async function noteAttempt(
  { db, now }: DeliverParts,
  channel: ChannelRow,
  { deliveryId, ids, attempts, sinceMs }: NextMessage,
  attempt: Attempt & { durationMs: number },
): Promise<void> {
  const nowMs = now();
  const isOver = nowMs - sinceMs > GIVE_UP_MS;
  await db.transaction().execute(async (transaction) => {
    const notices = transaction
      .updateTable('channel_notices')
      .where('channel_id', '=', channel.id)
      .where('delivery_id', '=', deliveryId);
    if (attempt.ok) {
      const at = new Date(nowMs);
      await notices.set({ state: 'sent', sent_at: at, attempts: attempts + 1 }).execute();
      await transaction.updateTable('channels').set({ last_sent_at: at }).where('id', '=', channel.id).execute();
    } else {
      const due_at = new Date(nowMs + retryDelayMs(attempts + 1));
      const state = isOver ? ('given_up' as const) : ('waiting' as const);
      await notices.set({ state, due_at, attempts: attempts + 1 }).execute();
    }
    await writeDelivery(transaction, channel.id, { deliveryId, findings: ids.length, attempt, nowMs });
  });
}

/** Notes an attempt in the channel's log, whose oldest lines go. */
export async function writeDelivery(
  db: RegistryDatabase,
  channelId: string,
  made: { deliveryId: string; findings: number; attempt: Attempt & { durationMs: number }; nowMs: number },
): Promise<void> {
  const { deliveryId, findings, attempt, nowMs } = made;
  const { id } = await db
    .insertInto('channel_deliveries')
    .values({
      ...{ channel_id: channelId, delivery_id: deliveryId, at: new Date(nowMs), findings },
      ...{ ok: attempt.ok, detail: attempt.detail, duration_ms: attempt.durationMs },
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db
    .deleteFrom('channel_deliveries')
    .where('channel_id', '=', channelId)
    .where('id', '<', String(Number(id) - DELIVERIES_KEPT))
    .execute();
}
