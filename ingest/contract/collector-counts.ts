import { z } from 'zod';

/** Names of producers in a report, and characters of each, at most. */
export const MOVED_SOURCES_MAX = 5;
export const MOVED_SOURCE_CHARS_MAX = 128;

const count = z.number().int().min(0);

/**
 * What one process counted for one collector since it started. Totals, not differences, so that a lost or repeated
 * report changes nothing; the sum over instances is the organisation's figure.
 */
export const collectorCountsSchema = z.object({
  instance: z.string().max(100),
  instance_started_at: z.iso.datetime({ offset: true }),
  service: z.enum(['ingest', 'detector']),
  /** Credential id of the collector; '' for events that came from a producer of its own. */
  collector: z.string().max(64),
  reported_at: z.iso.datetime({ offset: true }),
  last_received_at: z.iso.datetime({ offset: true }).nullable().default(null),
  /** ingest: events acknowledged to the sender. */
  accepted: count.default(0),
  /** ingest: events refused with a reason. */
  rejected: count.default(0),
  /** ingest: telemetry records that are valid but are no usage (metrics, prompts, tool results …). */
  ignored: count.default(0),
  /** ingest: secrets replaced by their hint. */
  redacted: count.default(0),
  /** ingest: part of what it accepted lies in its spool and is not on the bus yet. */
  spooled: z.boolean().default(false),
  /** detector: rows new in the ledger. */
  stored: count.default(0),
  /** detector: events seen before within the window. */
  duplicates: count.default(0),
  /** detector: records or lines that could not be decoded. */
  dead_lettered: count.default(0),
  /** detector: events that lay on another partition than their key's and were put there; repeats after a crash are counted again. */
  moved: count.default(0),
  /** Sources of some of them: whose partitioner is to be set. */
  moved_sources: z.array(z.string().max(MOVED_SOURCE_CHARS_MAX)).max(MOVED_SOURCES_MAX).default([]),
});

export type CollectorCounts = z.infer<typeof collectorCountsSchema>;

/**
 * Key of a record on the topic of counts. The start is part of it, because a process that is started again under the same name counts
 * from 0: what it counted before stays, as that of another process.
 */
export function collectorCountsKey(
  counts: Pick<CollectorCounts, 'instance' | 'instance_started_at' | 'collector'>,
): string {
  return `${counts.instance}/${counts.instance_started_at}/${counts.collector}`;
}
