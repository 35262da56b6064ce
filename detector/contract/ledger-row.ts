import type { UsageEvent } from '@lanewatch/ingest/contract';

/** How an event's credential stood in the registry at event time. */
export const STANDINGS = ['known', 'unknown', 'ambiguous', 'expired', 'revoked', 'unattributed'] as const;
export type Standing = (typeof STANDINGS)[number];

/** How sure the registry match is: by fingerprint, by hint + org with one candidate, by a hint several share, or not at all. */
export const MATCHES = ['proven', 'probable', 'ambiguous', 'none'] as const;
export type Match = (typeof MATCHES)[number];

/** A ledger row as the detector builds it: the event plus what was decided and where on the bus it stood. */
export interface LedgerRow extends UsageEvent {
  /** 64-bit hash of (source, id) as two unsigned halves: the dedupe window is restored from it. */
  event_hash_low: number;
  event_hash_high: number;
  /** {@link laneOf} the event. */
  lane: string;
  /** The earlier of time and received_at, epoch milliseconds: what windows and "last seen" go by, so that a sender's clock can't lead. */
  seen_at: number;
  standing: Standing;
  match: Match;
  /** Registry id of the matched credential, '' when none matched or several did. */
  credential_id: string;
  /** Ids of the findings that this event is an occurrence of. */
  findings: string[];
  /** What the event proved of those findings whose rows can't tell it later: id, blank, JSON. */
  evidence: string[];
  /** What was learned of the lane up to this row, on few rows; '' on the others. */
  lane_profile: string;
  kafka_partition: number;
  kafka_offset: number;
  /** Position inside the bus record, from 0. */
  record_index: number;
  /** Epoch milliseconds; one value per insert batch. */
  stored_at: number;
  /** Who claimed the partition when the row was written; the table refuses anybody else. */
  claimant: string;
  /** 1 for a request, -1 for a correction that takes a report of one back: what pages count is their sum. */
  calls: number;
  /** On corrections the reports of one request that they join, as JSON `[[source, id], …]`, the one that is taken back first; else ''. */
  joins: string;
}

/** A column of the ledger table: its name, its ClickHouse type and what it means. */
export interface LedgerColumn {
  name: string;
  type: string;
  comment: string;
  /** SQL of its value in rows that don't say; the type's own when absent. */
  default?: string;
}

const LABEL = 'LowCardinality(String)';
const INSTANT = "DateTime64(3, 'UTC')";

/** The ledger's columns in insert order: the migration, the Native encoder, readers and the docs all follow this list. */
export const LEDGER_COLUMNS = [
  { name: 'source', type: LABEL, comment: 'Who produced the event; with id its identity' },
  { name: 'id', type: 'String', comment: 'Unique within source' },
  { name: 'time', type: INSTANT, comment: 'When it happened, by the sender’s clock' },
  { name: 'received_at', type: INSTANT, comment: 'When ingest received it, by our clock' },
  { name: 'seen_at', type: INSTANT, comment: 'The earlier of time and received_at; windows go by it' },
  { name: 'lane', type: LABEL, comment: 'Fingerprint, or hint_… for a key known by its hint only, or unattributed' },
  { name: 'fingerprint', type: LABEL, comment: 'SHA-256 of the key, empty when the event names none' },
  { name: 'hint', type: LABEL, comment: 'Masked display form of the key' },
  { name: 'credential_provider', type: LABEL, comment: 'Who issued the key' },
  { name: 'credential_kind', type: LABEL, comment: 'api_key, oauth or none' },
  { name: 'org', type: LABEL, comment: 'Organisation the sender names' },
  { name: 'user', type: LABEL, comment: 'Who used the key, as the sender names them' },
  { name: 'ip', type: LABEL, comment: 'Address of the endpoint' },
  { name: 'host', type: LABEL, comment: 'Host name of the endpoint' },
  { name: 'agent', type: LABEL, comment: 'Program that used the key' },
  { name: 'agent_version', type: LABEL, comment: 'Its version' },
  { name: 'session', type: LABEL, comment: 'One run of the agent' },
  {
    name: 'request_id',
    type: 'String',
    comment: 'The provider’s or proxy’s id of the request; joins sources, never identity',
  },
  { name: 'repo', type: LABEL, comment: 'Repository worked in' },
  { name: 'branch', type: LABEL, comment: 'Branch worked on' },
  { name: 'provider', type: LABEL, comment: 'Who makes the model, or else served the request' },
  { name: 'model', type: LABEL, comment: 'Model used' },
  { name: 'module', type: LABEL, comment: 'Part of the organisation’s product' },
  { name: 'environment', type: LABEL, comment: 'development, sandbox, staging, production or as sent' },
  { name: 'action', type: LABEL, comment: 'execution or access' },
  { name: 'operation', type: LABEL, comment: 'What was called' },
  { name: 'outcome', type: LABEL, comment: 'success, failed, denied or rate_limited' },
  { name: 'status_code', type: 'UInt16', comment: 'HTTP status, 0 when not reported' },
  { name: 'tokens_input_uncached', type: 'UInt64', comment: 'Input tokens neither read from nor written to a cache' },
  { name: 'tokens_cache_read', type: 'UInt64', comment: 'Input tokens read from a cache' },
  { name: 'tokens_cache_write', type: 'UInt64', comment: 'Input tokens written to a cache' },
  { name: 'tokens_output', type: 'UInt64', comment: 'Output tokens, reasoning included' },
  { name: 'cost_usd', type: 'Decimal(18, 9)', comment: 'Cost in US dollars' },
  { name: 'cost_basis', type: LABEL, comment: 'reported by the sender, estimated from list prices, or none' },
  { name: 'latency_ms', type: 'UInt32', comment: 'Duration in milliseconds, 0 when not reported' },
  { name: 'collector', type: LABEL, comment: 'Registry id of the collector that shipped it' },
  {
    name: 'flags',
    type: 'Array(LowCardinality(String))',
    comment: 'What was noted on the event, such as redacted or time_future',
  },
  {
    name: 'served_by',
    type: LABEL,
    comment: 'Where the request was served when not by the provider itself, such as bedrock',
  },
  { name: 'reporter', type: LABEL, comment: 'Who reports the request: agent, sdk, proxy or import' },
  {
    name: 'sent_as',
    type: LABEL,
    comment: 'Names as they were sent, as JSON by column, where the canonical one differs',
  },
  { name: 'response_id', type: 'String', comment: 'Id of the answer, such as msg_… or chatcmpl-…; joins reports' },
  {
    name: 'rate_limits',
    type: 'String',
    comment: 'Limits of the key as the answer told them, as JSON: requests, tokens, … with limit, remaining, reset_at',
  },
  { name: 'event_hash', type: 'UInt64', comment: 'Hash of (source, id); the dedupe window is restored from it' },
  { name: 'standing', type: LABEL, comment: 'How the credential stood in the registry at event time' },
  { name: 'match', type: LABEL, comment: 'proven, probable, ambiguous or none' },
  { name: 'credential_id', type: LABEL, comment: 'Registry id of the matched credential' },
  { name: 'findings', type: 'Array(LowCardinality(String))', comment: 'Findings this event is an occurrence of' },
  { name: 'kafka_partition', type: 'UInt32', comment: 'Where the event stood on the bus' },
  { name: 'kafka_offset', type: 'UInt64', comment: 'Where the event stood on the bus' },
  { name: 'record_index', type: 'UInt32', comment: 'Position inside the bus record' },
  { name: 'stored_at', type: INSTANT, comment: 'When the batch was written; one value per batch' },
  { name: 'claimant', type: LABEL, comment: 'Detector that held the partition' },
  {
    name: 'evidence',
    type: 'Array(LowCardinality(String))',
    comment: 'What the event proved of its findings when it came: finding id and JSON',
  },
  {
    name: 'lane_profile',
    type: 'String',
    comment: 'What was learned of the lane up to this row, on one row of many, for the detector alone',
  },
  {
    name: 'calls',
    type: 'Int8',
    default: '1',
    comment: '1, or -1 where a correction takes a report back; sum it to count requests',
  },
  {
    name: 'joins',
    type: 'String',
    comment: 'On corrections the reports of one request that they join, as JSON; else empty',
  },
] as const satisfies readonly LedgerColumn[];

/** Name of the ledger table, in the database the detector is configured with. */
export const LEDGER_TABLE = 'ledger';
/** Name of the findings table; read it with FINAL. */
export const FINDINGS_TABLE = 'findings';
