import { LEDGER_COLUMNS, type LedgerRow } from '../../../contract/index.ts';
import { BlockEncoder, type BlockColumn } from './block-encoder.ts';
import {
  lowCardinalityArrayColumn as labels,
  lowCardinalityColumn as label,
  stringColumn as text,
  uint16Column as uint16,
  uint32Column as uint32,
  uint53Column as uint53,
  uint64Column as uint64,
  type ColumnWriter,
} from './columns.ts';

type LedgerColumnName = (typeof LEDGER_COLUMNS)[number]['name'];

/** How each ledger column is written; the compiler misses none, and a unit test holds writer and type together. */
function ledgerWriters(): Record<LedgerColumnName, ColumnWriter<LedgerRow>> {
  return {
    source: label((row) => row.source),
    id: text((row) => row.id),
    time: uint53((row) => row.time),
    received_at: uint53((row) => row.received_at),
    seen_at: uint53((row) => row.seen_at),
    lane: label((row) => row.lane),
    fingerprint: label((row) => row.fingerprint),
    hint: label((row) => row.hint),
    credential_provider: label((row) => row.credential_provider),
    credential_kind: label((row) => row.credential_kind),
    org: label((row) => row.org),
    user: label((row) => row.user),
    ip: label((row) => row.ip),
    host: label((row) => row.host),
    agent: label((row) => row.agent),
    agent_version: label((row) => row.agent_version),
    session: label((row) => row.session),
    request_id: text((row) => row.request_id),
    repo: label((row) => row.repo),
    branch: label((row) => row.branch),
    provider: label((row) => row.provider),
    model: label((row) => row.model),
    module: label((row) => row.module),
    environment: label((row) => row.environment),
    action: label((row) => row.action),
    operation: label((row) => row.operation),
    outcome: label((row) => row.outcome),
    status_code: uint16((row) => row.status_code),
    tokens_input_uncached: uint53((row) => row.tokens_input_uncached),
    tokens_cache_read: uint53((row) => row.tokens_cache_read),
    tokens_cache_write: uint53((row) => row.tokens_cache_write),
    tokens_output: uint53((row) => row.tokens_output),
    cost_usd: uint53((row) => row.cost_nano_usd),
    cost_basis: label((row) => row.cost_basis),
    latency_ms: uint32((row) => row.latency_ms),
    collector: label((row) => row.collector),
    flags: labels((row) => row.flags),
    event_hash: uint64(
      (row) => row.event_hash_low,
      (row) => row.event_hash_high,
    ),
    standing: label((row) => row.standing),
    match: label((row) => row.match),
    credential_id: label((row) => row.credential_id),
    findings: labels((row) => row.findings),
    kafka_partition: uint32((row) => row.kafka_partition),
    kafka_offset: uint53((row) => row.kafka_offset),
    record_index: uint32((row) => row.record_index),
    stored_at: uint53((row) => row.stored_at),
    claimant: label((row) => row.claimant),
  };
}

/** An encoder of ledger rows, in the order of the contract's column list. */
export function ledgerBlockEncoder(): BlockEncoder<LedgerRow> {
  const writers = ledgerWriters();
  const columns: BlockColumn<LedgerRow>[] = LEDGER_COLUMNS.map(({ name, type }) => ({
    name,
    type,
    write: writers[name],
  }));
  return new BlockEncoder(columns);
}
