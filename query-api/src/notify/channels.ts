import { randomBytes, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { z } from 'zod';
import type { Channel, ChannelCreate, channelEditSchema, FieldChange } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { changesOf } from '../audit/changes.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import type { ChannelsTable } from '../registry/schema.ts';
import { seal, unseal } from '../seal.ts';
import type { Destination } from './send.ts';

export type ChannelRow = Omit<ChannelsTable, 'orgs' | 'projects' | 'owners'> &
  Record<'orgs' | 'projects' | 'owners', string[]>;

export function readChannelRows(db: RegistryDatabase): Promise<ChannelRow[]> {
  return db.selectFrom('channels').selectAll().orderBy('created_at').orderBy('id').execute();
}

/** @throws {ProblemError} `not_found` */
export async function channelRow(db: RegistryDatabase, id: string): Promise<ChannelRow> {
  const row = await db.selectFrom('channels').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new ProblemError('not_found', 'No channel has this id.');
  return row;
}

/** Channels as readers see them, or one of them. */
export async function readChannels(db: RegistryDatabase, id?: string): Promise<Channel[]> {
  const rows = (await readChannelRows(db)).filter((row) => id === undefined || row.id === id);
  const counted = await db
    .selectFrom('channel_notices')
    .select(({ fn }) => [
      'channel_id',
      fn.count<number>('finding_id').filterWhere('state', '=', 'waiting').as('waiting'),
      sql<number>`count(*) FILTER (WHERE state = 'waiting' AND attempts > 0)`.as('failing'),
      fn.count<number>('finding_id').filterWhere('state', '=', 'given_up').as('given_up'),
    ])
    .where('state', 'in', ['waiting', 'given_up'])
    .groupBy('channel_id')
    .execute();
  return rows.map((row) => {
    const counts = counted.find(({ channel_id: of }) => of === row.id);
    const { sealed: _sealed, baselined_at: _baselined, created_at, last_sent_at, ...shown } = row;
    return {
      ...shown,
      created_at: created_at.toISOString(),
      last_sent_at: last_sent_at?.toISOString() ?? null,
      waiting: Number(counts?.waiting ?? 0),
      failing: Number(counts?.failing ?? 0),
      given_up: Number(counts?.given_up ?? 0),
    };
  });
}

interface By {
  actor: string;
  nowMs: number;
}

/** Makes a channel. Findings that are there already are not told. @returns its id, and a webhook's signing secret */
export async function createChannel(
  db: RegistryDatabase,
  { url, to, kind, ...rest }: ChannelCreate,
  authSecret: string,
  { actor, nowMs }: By,
): Promise<{ id: string; secret: string | null }> {
  refuseHalfQuiet(rest);
  const id = `chan_${randomUUID()}`;
  const secret = kind === 'webhook' ? `whsec_${randomBytes(24).toString('base64url')}` : null;
  const destination: Destination = kind === 'email' ? { to: to ?? [] } : { url: url ?? '', secret: secret ?? '' };
  const at = new Date(nowMs);
  await db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('channels')
      .values({
        ...{ id, kind, ...listsOf(rest), ...addressOf(destination, authSecret) },
        ...{ created_at: at, created_by: actor, version: 1, baselined_at: null, last_sent_at: null },
      })
      .execute();
    await audit(transaction, 'channel.created', { id, detail: rest.name }, { actor, at });
  });
  return { id, secret };
}

/** @throws {ProblemError} `not_found`, `validation`, or `conflict` when somebody changed it since */
export async function editChannel(
  db: RegistryDatabase,
  id: string,
  { version, url, to, ...edit }: z.output<typeof channelEditSchema>,
  authSecret: string,
  { actor, nowMs }: By,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom('channels')
      .selectAll()
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) throw new ProblemError('not_found', 'No channel has this id.');
    if (version !== undefined && version !== row.version) {
      const detail = `It was changed since: you saw version ${version}, it is at ${row.version} now.`;
      throw new ProblemError('conflict', detail, [{ path: 'version', message: `is ${row.version} now` }]);
    }
    const { quiet_from = row.quiet_from, quiet_to = row.quiet_to } = edit;
    refuseHalfQuiet({ quiet_from, quiet_to });
    const address = url === undefined && to === undefined ? {} : movedTo(row, { url, to }, authSecret);
    await transaction
      .updateTable('channels')
      .set({ ...listsOf(edit), ...address, version: row.version + 1 })
      .where('id', '=', id)
      .execute();
    const after = { ...row, ...edit, ...address };
    const fields = [
      ...(Object.keys(edit) as (keyof typeof edit)[]),
      ...('target' in address ? ['target' as const] : []),
    ];
    const changes = changesOf(fields, row, after);
    await audit(transaction, 'channel.changed', { id, detail: row.name, changes }, { actor, at: new Date(nowMs) });
  });
}

/** What is kept of where a channel goes: what may be shown of it, and the whole sealed. */
function addressOf(destination: Destination, authSecret: string): Pick<ChannelRow, 'target' | 'sealed'> {
  return {
    target: 'to' in destination ? destination.to.join(', ') : new URL(destination.url).host,
    sealed: seal(Buffer.from(JSON.stringify(destination)), authSecret, 'channels'),
  };
}

/** The same of a channel that goes elsewhere from now on, signed by the secret that it has. @throws {ProblemError} `validation` */
function movedTo(
  { kind, sealed }: Pick<ChannelRow, 'kind' | 'sealed'>,
  { url, to }: { url: string | undefined; to: string[] | undefined },
  authSecret: string,
): Pick<ChannelRow, 'target' | 'sealed'> {
  if (kind === 'email') {
    if (to === undefined || url !== undefined) throw fieldProblem('url', 'is of a webhook; an e-mail channel has to');
    return addressOf({ to }, authSecret);
  }
  if (url === undefined || to !== undefined) throw fieldProblem('to', `is of an e-mail; a ${kind} channel has url`);
  let secret: string;
  try {
    ({ secret } = JSON.parse(unseal(sealed, authSecret, 'channels').toString('utf8')) as { secret: string });
  } catch {
    throw fieldProblem(
      'url',
      'can’t be changed: the sign-in secret is another than when this channel was made. Make it anew',
    );
  }
  return addressOf({ url, secret }, authSecret);
}

/** @throws {ProblemError} for quiet hours that begin and never end, or the other way round */
function refuseHalfQuiet({ quiet_from: from, quiet_to: to }: Pick<Channel, 'quiet_from' | 'quiet_to'>): void {
  if ((from === null) === (to === null)) return;
  const missing = from === null ? 'quiet_from' : 'quiet_to';
  throw fieldProblem(missing, 'is needed: quiet hours have a beginning and an end, or neither');
}

async function audit(
  transaction: RegistryTransaction,
  action: string,
  { id, detail, changes = [] }: { id: string; detail: string; changes?: FieldChange[] },
  by: { actor: string; at: Date },
): Promise<void> {
  await appendAudit(transaction, { action, subject: { kind: 'channel', id }, detail, changes, ...by });
}

/** Lists as the driver takes them. */
function listsOf<Parts extends object>(
  parts: Parts,
): { [Name in keyof Parts]: Parts[Name] extends string[] | undefined ? string : Parts[Name] } {
  return Object.fromEntries(
    Object.entries(parts).map(([name, value]) => [name, Array.isArray(value) ? JSON.stringify(value) : value]),
  ) as ReturnType<typeof listsOf<Parts>>;
}

const DELIVERIES_SHOWN_MAX = 100;

/** Attempts of a channel, newest first. */
export async function readDeliveries(db: RegistryDatabase, id: string) {
  const rows = await db
    .selectFrom('channel_deliveries')
    .selectAll()
    .where('channel_id', '=', id)
    .orderBy('id', 'desc')
    .limit(DELIVERIES_SHOWN_MAX)
    .execute();
  return rows.map(({ channel_id: _channel, at, id: number, ...row }) => ({
    ...row,
    ...{ id: String(number), at: at.toISOString() },
  }));
}
