import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  collectorsSchema,
  deadLetterDetailSchema,
  deadLetterSchema,
  deadLettersPageSchema,
  deadLettersQuerySchema,
} from '../../contract/index.ts';
import type { DeadLetter } from '../../contract/index.ts';
import { withoutRawKeys } from '../../contract/raw-key.ts';
import type { HeldLetter } from '../collectors/dead-letters.ts';
import { readReplays } from '../collectors/replay.ts';
import type { Replay } from '../collectors/replay.ts';
import { readShips } from '../collectors/ships.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { ProblemError } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import { instantOf } from '../ledger/window.ts';
import { collectorHealth } from '../overview/collectors.ts';
import type { Services } from '../services/services.ts';

/** What programs ship changes slowly, and is read from a day of rows. */
const SHIPS_KEPT_MS = 30_000;
const TEXT_CHARS_MAX = 20_000;
const cursorShape = z.tuple([z.string().max(60)]);
const letterParams = z.object({
  id: z.string().regex(/^\d{1,15}-\d{1,15}-\d{1,15}$/, 'must be an id as the list of dead letters has it'),
});

function letterOf(letter: HeldLetter, replay: Replay | undefined): DeadLetter {
  return {
    id: letter.id,
    at: instantOf(letter.atMs),
    reason: letter.reason,
    partition: letter.partition,
    offset: letter.offset,
    record_index: letter.recordIndex,
    bytes: letter.originalBytes,
    is_whole: letter.originalBytes <= letter.value.length,
    replayed_at: replay?.published_at?.toISOString() ?? null,
    replayed_by: replay?.published_at ? replay.actor : '',
  };
}

/** Who ships events and what became of them, and what could not be decoded. */
export function collectorRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, shared, collectors, deadLetters, now } = services;
  const { db } = database;

  const held = (id: string): HeldLetter => {
    const letter = deadLetters.byId(id);
    if (letter === undefined) throw new ProblemError('not_found', 'No dead letter of this place is held any more.');
    return letter;
  };
  const shown = async (letter: HeldLetter): Promise<DeadLetter> =>
    letterOf(letter, (await readReplays(db, [letter.id])).get(letter.id));

  return async (app) => {
    app.get(
      '/v1/collectors',
      {
        schema: {
          tags: ['reads'],
          summary: 'Who ships what, and what became of it',
          response: { 200: collectorsSchema },
        },
      },
      async () => {
        const current = await registry.current();
        // What was counted is in memory, and shown without the ledger, too.
        const ships = await shared
          .read('ships', () => readShips(store, now()), { msMin: SHIPS_KEPT_MS })
          .catch(() => null);
        return {
          items: collectorHealth(current, collectors.byCollector(), now()).map((collector) => ({
            ...collector,
            ships: ships === null ? null : (ships.get(collector.collector) ?? []),
          })),
          dead_letters: deadLetters.count,
        };
      },
    );

    app.get(
      '/v1/dead-letters',
      {
        schema: {
          tags: ['reads'],
          summary: 'Records that could not be decoded, newest first',
          querystring: deadLettersQuerySchema.strict(),
          response: { 200: deadLettersPageSchema },
        },
      },
      async ({ query: { limit, cursor } }) => {
        const all = deadLetters.all();
        const after = cursor === undefined ? null : decodeCursor(cursor, cursorShape)[0];
        // One that was dropped meanwhile was older than all that are left.
        const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1 || all.length;
        const page = all.slice(start, start + limit);
        const replays = await readReplays(
          db,
          page.map(({ id }) => id),
        );
        const last = page.at(-1);
        return {
          items: page.map((letter) => letterOf(letter, replays.get(letter.id))),
          next_cursor: last !== undefined && start + limit < all.length ? encodeCursor([last.id]) : null,
        };
      },
    );

    app.get(
      '/v1/dead-letters/:id',
      {
        config: { can: 'dead_letters.replay' },
        schema: {
          tags: ['reads'],
          summary: 'One of them as it came, without what looks like a raw key',
          params: letterParams,
          response: { 200: deadLetterDetailSchema },
        },
      },
      async ({ params }) => {
        const letter = held(params.id);
        const text = withoutRawKeys(letter.value.toString('utf8'));
        return { ...(await shown(letter)), text: text.slice(0, TEXT_CHARS_MAX), is_cut: text.length > TEXT_CHARS_MAX };
      },
    );

    app.post(
      '/v1/dead-letters/:id/replay',
      {
        config: { can: 'dead_letters.replay' },
        schema: {
          tags: ['collectors'],
          summary: 'Puts one on the usage topic again, once',
          params: letterParams,
          response: { 200: deadLetterSchema },
        },
      },
      async (request) => {
        const letter = held(request.params.id);
        await services.replay(letter, actorOf(request));
        return shown(letter);
      },
    );
  };
}
