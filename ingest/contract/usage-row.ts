import { laneOf, UNATTRIBUTED_LANE } from './fingerprint.ts';
import type { UsageEvent } from './usage-event.ts';

/** The one column list of the positional row. A change of order or meaning needs a new {@link USAGE_ROW_VERSION}. */
export const USAGE_COLUMNS = [
  'source',
  'id',
  'time',
  'received_at',
  'fingerprint',
  'hint',
  'credential_provider',
  'credential_kind',
  'org',
  'user',
  'ip',
  'host',
  'agent',
  'agent_version',
  'session',
  'request_id',
  'repo',
  'branch',
  'provider',
  'model',
  'module',
  'environment',
  'action',
  'operation',
  'outcome',
  'status_code',
  'tokens_input_uncached',
  'tokens_cache_read',
  'tokens_cache_write',
  'tokens_output',
  'cost_nano_usd',
  'cost_basis',
  'latency_ms',
  'collector',
  'flags',
  'served_by',
  'reporter',
  'sent_as',
  'response_id',
  'rate_limits',
] as const satisfies readonly (keyof UsageEvent)[];

/** Record header that names the form of the value: a positional row version. Without it the value holds JSON objects. */
export const ROW_VERSION_HEADER = 'lanewatch-row';
/** The version that is written. Readers need to know those before too, which a spool still sends after an upgrade. */
export const USAGE_ROW_VERSION = '3';
/** The versions before, whose rows end earlier: how many of {@link USAGE_COLUMNS} they have. Names of the first are as they were sent. */
export const USAGE_ROWS_BEFORE: Readonly<Record<string, number>> = { 1: 35, 2: 38 };

/**
 * Record header of events that a detector has put on the partition where their key belongs: how many partitions the topic had then.
 * Producers leave it out.
 */
export const MOVED_HEADER = 'lanewatch-moved';

/** A positional row, in the order of {@link USAGE_COLUMNS}. */
export type UsageRow = (string | number | string[])[];

/** Position of each column in the row, for readers that pick values without building an object. */
export const COLUMN_INDEX = Object.fromEntries(USAGE_COLUMNS.map((column, index) => [column, index])) as Record<
  (typeof USAGE_COLUMNS)[number],
  number
>;

type Cells<Columns extends readonly (keyof UsageEvent)[]> = {
  [Position in keyof Columns]: UsageEvent[Columns[Position]];
};
/** What stands at each position of {@link USAGE_COLUMNS}. */
export type UsageCells = Cells<typeof USAGE_COLUMNS>;

/**
 * The event as one line of JSON for the bus; no line break inside. One literal, because looking every column up by its name takes
 * longer; the tuple's type holds it to the column list.
 */
export function encodeUsageRow(event: UsageEvent): string {
  const cells: UsageCells = [
    event.source,
    event.id,
    event.time,
    event.received_at,
    event.fingerprint,
    event.hint,
    event.credential_provider,
    event.credential_kind,
    event.org,
    event.user,
    event.ip,
    event.host,
    event.agent,
    event.agent_version,
    event.session,
    event.request_id,
    event.repo,
    event.branch,
    event.provider,
    event.model,
    event.module,
    event.environment,
    event.action,
    event.operation,
    event.outcome,
    event.status_code,
    event.tokens_input_uncached,
    event.tokens_cache_read,
    event.tokens_cache_write,
    event.tokens_output,
    event.cost_nano_usd,
    event.cost_basis,
    event.latency_ms,
    event.collector,
    event.flags,
    event.served_by,
    event.reporter,
    event.sent_as,
    event.response_id,
    event.rate_limits,
  ];
  return JSON.stringify(cells);
}

/**
 * What decides the partition: the lane, so that one credential's events stay in order in one place; events that name no key
 * spread by session instead, because no rule looks across them.
 */
export function partitionKeyOf(
  event: Pick<UsageEvent, 'fingerprint' | 'hint' | 'org' | 'session' | 'source' | 'id'>,
): string {
  const lane = laneOf(event.fingerprint, event.hint, event.org);
  if (lane !== UNATTRIBUTED_LANE) return lane;
  return event.session || `${event.source}\n${event.id}`;
}
