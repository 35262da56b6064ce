import { LEDGER_COLUMNS, type LedgerRow } from '../../../contract/index.ts';
import type { RowBlock } from '../ledger.ts';
import { writeBlock, type BlockColumn } from './block.ts';
import { ByteBuffer } from './byte-buffer.ts';
import type { Column } from './column.ts';
import { LabelsColumn, StringColumn, UInt64Column, UIntColumn } from './columns.ts';
import { LowCardinalityColumn } from './low-cardinality.ts';

type LedgerColumn = (typeof LEDGER_COLUMNS)[number];

/** The kind of column that holds each type. */
interface ColumnOfType {
  String: StringColumn;
  'LowCardinality(String)': LowCardinalityColumn;
  'Array(LowCardinality(String))': LabelsColumn;
  Int8: UIntColumn;
  UInt16: UIntColumn;
  UInt32: UIntColumn;
  UInt64: UInt64Column;
  "DateTime64(3, 'UTC')": UInt64Column;
  'Decimal(18, 9)': UInt64Column;
}

const MAKE: { [Type in keyof ColumnOfType]: () => ColumnOfType[Type] } = {
  String: () => new StringColumn(new ByteBuffer(TEXT_BYTES_INITIAL)),
  'LowCardinality(String)': () => new LowCardinalityColumn(),
  'Array(LowCardinality(String))': () => new LabelsColumn(),
  Int8: () => new UIntColumn(8),
  UInt16: () => new UIntColumn(16),
  UInt32: () => new UIntColumn(32),
  UInt64: () => new UInt64Column(),
  "DateTime64(3, 'UTC')": () => new UInt64Column(),
  'Decimal(18, 9)': () => new UInt64Column(),
};

const TEXT_BYTES_INITIAL = 1 << 15;
const BLOCK_BYTES_INITIAL = 1 << 18;

type LedgerColumns = { [Column in LedgerColumn as Column['name']]: ColumnOfType[Column['type']] };

/**
 * Ledger rows as a Native block, column by column from the first row on: a row's values are taken in while they are at hand, and
 * nothing of it lives until the block is stored but bytes and one copy of each label. Rows that live as long as a batch cost more
 * in garbage collection than everything that is decided about them.
 */
export class LedgerBlock implements RowBlock {
  length = 0;
  private readonly columns: LedgerColumns;
  private readonly ordered: readonly BlockColumn[];
  private out = new ByteBuffer(BLOCK_BYTES_INITIAL);
  private isSealed = false;
  /** Who it was last written out for; null while it was not. */
  private claimant: string | null = null;

  constructor() {
    const made: [string, Column][] = LEDGER_COLUMNS.map(({ name, type }) => [name, MAKE[type]()]);
    this.columns = Object.fromEntries(made) as unknown as LedgerColumns;
    this.ordered = LEDGER_COLUMNS.map(({ name, type }) => ({ name, type, column: this.columns[name] }));
  }

  /** Empties it, keeps the memory. */
  start(): void {
    this.length = 0;
    this.isSealed = false;
    this.claimant = null;
    for (const { column } of this.ordered) column.start();
  }

  /** Spelled out: a loop over names would make every access a look-up in a hash table. */
  add(row: LedgerRow): void {
    if (this.isSealed) throw new Error('a sealed block takes no more rows');
    this.length++;
    const { columns } = this;
    columns.source.add(row.source);
    columns.id.add(row.id);
    columns.time.add(row.time);
    columns.received_at.add(row.received_at);
    columns.seen_at.add(row.seen_at);
    columns.lane.add(row.lane);
    columns.fingerprint.add(row.fingerprint);
    columns.hint.add(row.hint);
    columns.credential_provider.add(row.credential_provider);
    columns.credential_kind.add(row.credential_kind);
    columns.org.add(row.org);
    columns.user.add(row.user);
    columns.ip.add(row.ip);
    columns.host.add(row.host);
    columns.agent.add(row.agent);
    columns.agent_version.add(row.agent_version);
    columns.session.add(row.session);
    columns.request_id.add(row.request_id);
    columns.repo.add(row.repo);
    columns.branch.add(row.branch);
    columns.provider.add(row.provider);
    columns.model.add(row.model);
    columns.module.add(row.module);
    columns.environment.add(row.environment);
    columns.action.add(row.action);
    columns.operation.add(row.operation);
    columns.outcome.add(row.outcome);
    columns.status_code.add(row.status_code);
    columns.tokens_input_uncached.add(row.tokens_input_uncached);
    columns.tokens_cache_read.add(row.tokens_cache_read);
    columns.tokens_cache_write.add(row.tokens_cache_write);
    columns.tokens_output.add(row.tokens_output);
    columns.cost_usd.add(row.cost_nano_usd);
    columns.cost_basis.add(row.cost_basis);
    columns.latency_ms.add(row.latency_ms);
    columns.collector.add(row.collector);
    columns.flags.add(row.flags);
    columns.served_by.add(row.served_by);
    columns.reporter.add(row.reporter);
    columns.sent_as.add(row.sent_as);
    columns.response_id.add(row.response_id);
    columns.rate_limits.add(row.rate_limits);
    columns.event_hash.addHalves(row.event_hash_low, row.event_hash_high);
    columns.standing.add(row.standing);
    columns.match.add(row.match);
    columns.credential_id.add(row.credential_id);
    columns.findings.add(row.findings);
    columns.evidence.add(row.evidence);
    columns.lane_profile.add(row.lane_profile);
    columns.calls.add(row.calls);
    columns.joins.add(row.joins);
    columns.kafka_partition.add(row.kafka_partition);
    columns.kafka_offset.add(row.kafka_offset);
    columns.record_index.add(row.record_index);
  }

  seal(storedAtMs: number): void {
    if (this.isSealed) throw new Error('the block is sealed already');
    this.isSealed = true;
    this.columns.stored_at.addTimes(storedAtMs, this.length);
  }

  /** The sealed block's bytes with this claimant in every row; they hold until the next {@link start}. */
  bytes(claimant: string): Buffer {
    if (!this.isSealed) throw new Error('the block is not sealed');
    if (this.claimant !== claimant) {
      // In new memory when it was sent before: that request may still be reading the old.
      if (this.claimant === null) this.out.start();
      else this.out = new ByteBuffer(BLOCK_BYTES_INITIAL);
      this.claimant = claimant;
      this.columns.claimant.start();
      this.columns.claimant.addTimes(claimant, this.length);
      writeBlock(this.out, this.ordered, this.length);
    }
    return this.out.content();
  }
}
