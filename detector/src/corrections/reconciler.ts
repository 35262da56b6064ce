import type { OutgoingRecord } from '@lanewatch/ingest/contract';
import { correctionRecord } from './correction.ts';
import { correctionsOf } from './corrections.ts';
import type { ReportReader } from './reports.ts';

/** How often the newest rows are looked through. */
const EVERY_MS = 15_000;
/** From where the first look begins: what was stored before was looked through by whoever ran before, or is too old. */
const LOOK_BACK_MS = 24 * 3_600_000;
/** Rows of this long are looked through in one go. */
const STRETCH_MS = 3_600_000;
/** A row shows some time after the instant that it says it was stored at, and clocks differ. */
const OVERLAP_MS = 2 * 60_000;
const RECORDS_PER_PUBLISH = 1_000;

export interface ReconcilerOptions {
  reader: ReportReader;
  /** Puts records on the usage topic; resolves once they are durable. */
  publish(records: OutgoingRecord[]): Promise<void>;
  /** Whether it is this detector's turn: that which holds the first partition. */
  isOurs(): boolean;
  now(): number;
  /** Rejects when the signal fires. */
  wait(ms: number, signal: AbortSignal): Promise<unknown>;
  /** Hears how many corrections a look has made. */
  onCorrected(corrections: number): void;
  onFault(error: unknown): void;
}

/** Looks through rows stored in a stretch of time and puts what they need on the bus. Resolves with the number of corrections. */
export async function reconcile(
  { reader, publish }: Pick<ReconcilerOptions, 'reader' | 'publish'>,
  fromMs: number,
  toMs: number,
): Promise<number> {
  let made = 0;
  for await (const rows of reader.around(fromMs, toMs)) {
    const { entries, reversals } = correctionsOf(rows);
    // An entry is on the bus for certain before what it stands for is taken back: ended between the two, a request counts twice until the
    // next look, and never not at all.
    for (const corrections of [entries, reversals])
      for (let at = 0; at < corrections.length; at += RECORDS_PER_PUBLISH)
        await publish(corrections.slice(at, at + RECORDS_PER_PUBLISH).map(correctionRecord));
    made += entries.length + reversals.length;
  }
  return made;
}

/**
 * Joins reports of one request as they come in. Nothing is remembered over a restart, and two detectors may run it at once: corrections that
 * are found again have the identity that they had.
 */
export function runReconciler(options: ReconcilerOptions): { close(): Promise<void> } {
  const closing = new AbortController();
  let lookedUntilMs: number | null = null;

  async function look(): Promise<void> {
    if (!options.isOurs()) {
      lookedUntilMs = null;
      return;
    }
    for (;;) {
      const nowMs = options.now();
      const fromMs = (lookedUntilMs ?? nowMs - LOOK_BACK_MS) - OVERLAP_MS;
      const toMs = Math.min(nowMs, fromMs + OVERLAP_MS + STRETCH_MS);
      const corrections = await reconcile(options, fromMs, toMs);
      if (corrections > 0) options.onCorrected(corrections);
      lookedUntilMs = toMs;
      if (toMs >= nowMs || closing.signal.aborted) return;
    }
  }

  async function run(): Promise<void> {
    for (;;) {
      await options.wait(EVERY_MS, closing.signal);
      await look().catch(options.onFault);
    }
  }

  const running = run().catch(() => undefined);
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}
