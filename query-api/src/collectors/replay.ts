import type { Bus } from '@lanewatch/ingest/contract';
import { appendAudit } from '../audit/append.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { ProblemError } from '../http/problem.ts';
import type { HeldLetter } from './dead-letters.ts';

/** A replay that was begun so long ago and did not end was cut off: it may be begun again. The detector drops what it knows already. */
const CUT_OFF_MS = 60_000;

export interface Replay {
  published_at: Date | null;
  actor: string;
}

/** Which of these dead letters were put on the bus again. */
export async function readReplays(db: RegistryDatabase, ids: readonly string[]): Promise<ReadonlyMap<string, Replay>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('dead_letter_replays').selectAll().where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * Puts a dead letter on the usage topic again, where a detector that understands it by now stores it. Once: who comes second is told so.
 * @throws {ProblemError} conflict, for one that was replayed or is not whole
 */
export async function replay(
  parts: { db: RegistryDatabase; bus: Bus; topic: string; nowMs: number; actor: string },
  letter: HeldLetter,
): Promise<void> {
  const { db, bus, topic, nowMs, actor } = parts;
  if (letter.originalBytes > letter.value.length) {
    throw new ProblemError('conflict', 'Only the beginning of it is kept, which would not be what was sent.');
  }
  const claimed = await db
    .insertInto('dead_letter_replays')
    .values({ id: letter.id, begun_at: new Date(nowMs), published_at: null, actor })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ begun_at: new Date(nowMs), actor })
        .where('dead_letter_replays.published_at', 'is', null)
        .where('dead_letter_replays.begun_at', '<', new Date(nowMs - CUT_OFF_MS)),
    )
    .returning('id')
    .execute();
  if (claimed.length === 0) throw new ProblemError('conflict', 'It was replayed already.');
  try {
    await bus.publish(topic, [{ key: null, value: letter.value, partition: letter.partition }]);
  } catch (error) {
    // Nothing was taken, so that trying again is no second time.
    await db.deleteFrom('dead_letter_replays').where('id', '=', letter.id).execute();
    throw error;
  }
  await db.transaction().execute(async (transaction) => {
    await transaction
      .updateTable('dead_letter_replays')
      .set({ published_at: new Date(nowMs) })
      .where('id', '=', letter.id)
      .execute();
    await appendAudit(transaction, {
      ...{ at: new Date(nowMs), actor, action: 'dead_letter.replayed' },
      subject: { kind: 'setting', id: `dead letter ${letter.id}` },
      detail: letter.reason,
    });
  });
}
