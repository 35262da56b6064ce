import type { ClickHouseClient } from '@clickhouse/client';
import type { CredentialRecord } from '@lanewatch/ingest/contract';
import { CREDENTIALS_TABLE, insertMirrored, mirroredOf, reloadMirrored } from '../../../contract/index.ts';

/** Records per request: some 5 MB of text at the very most of ordinary ones. */
const RECORDS_PER_WRITE = 5_000;
const RETRY_MS_MAX = 5_000;
const RETRY_MS_FIRST = 200;
const CLOSE_MS_MAX = 2_000;

export interface CredentialMirror {
  /** Tells that the record of this key is another one now, or gone. Returns at once. */
  changed(recordKey: string): void;
  /**
   * Once all records of the topic are held: begins to write, and takes out what the table has and the topic has not. Before, changes
   * are only noted: the records that one key had on the topic in the course of time are written as the one it has now.
   */
  begin(): void;
  /** Resolves when everything noted up to now is written, or the mirror was closed. */
  settled(): Promise<void>;
  /** Stops after the request that runs, if that ends soon. */
  close(): Promise<void>;
}

export interface CredentialMirrorOptions {
  client: ClickHouseClient;
  database: string;
  /** The record that a key has now. */
  recordOf: (recordKey: string) => CredentialRecord | undefined;
  wait: (ms: number) => Promise<void>;
  onFault: (error: unknown) => void;
}

/**
 * Keeps ClickHouse's copy of the registry equal to the credentials topic. Only keys are kept here, the records are those that the
 * detector holds anyway; every detector writes all of them, which changes nothing, so that none has to know of the others. Never
 * waited for by events: while ClickHouse is away, changes are kept and tried again.
 */
export function createCredentialMirror(options: CredentialMirrorOptions): CredentialMirror {
  const { client, database, recordOf, onFault } = options;
  const pending = new Set<string>();
  let begun = false;
  let mustSweep = true;
  let closed = false;
  let running: Promise<void> | null = null;

  async function writePending(): Promise<void> {
    const keys = [...pending.values().take(RECORDS_PER_WRITE)];
    for (const key of keys) pending.delete(key);
    try {
      const records = keys.flatMap((key) => recordOf(key) ?? []);
      if (records.length > 0) await insertMirrored(client, database, records.map(mirroredOf));
      if (records.length < keys.length) mustSweep = true;
    } catch (error) {
      for (const key of keys) pending.add(key);
      throw error;
    }
  }

  /** Marks rows that the topic has no record of any more, which needs them all to be looked at: keys only, as they stream in. */
  async function sweep(): Promise<void> {
    const gone: object[] = [];
    const answer = await client.query({
      query: `SELECT record_key, version FROM ${database}.${CREDENTIALS_TABLE} FINAL WHERE NOT is_removed`,
      format: 'JSONCompactEachRow',
    });
    for await (const rows of answer.stream<[string, number]>())
      for (const row of rows) {
        const [record_key, version] = row.json();
        if (recordOf(record_key) === undefined) gone.push({ record_key, version, is_removed: 1 });
      }
    for (let at = 0; at < gone.length; at += RECORDS_PER_WRITE)
      await insertMirrored(client, database, gone.slice(at, at + RECORDS_PER_WRITE));
    mustSweep = false;
  }

  const isDue = (): boolean => !closed && (pending.size > 0 || mustSweep);

  async function run(): Promise<void> {
    let retryMs = RETRY_MS_FIRST;
    let isReloaded = true;
    while (isDue() || (!isReloaded && !closed)) {
      try {
        isReloaded = false;
        if (pending.size > 0) await writePending();
        else if (mustSweep) await sweep();
        // With many on their way the dictionaries are read anew once, at the end.
        if (!isDue()) {
          await reloadMirrored(client, database);
          isReloaded = true;
        }
        retryMs = RETRY_MS_FIRST;
      } catch (error) {
        if (closed) return;
        onFault(error);
        await options.wait(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      }
    }
  }

  function wake(): void {
    if (!begun || closed || running !== null) return;
    running = run().finally(() => {
      running = null;
      if (isDue()) wake();
    });
  }

  return {
    changed(recordKey) {
      pending.add(recordKey);
      wake();
    },
    begin() {
      begun = true;
      wake();
    },
    async settled() {
      while (running !== null) await running;
    },
    async close() {
      closed = true;
      // An engine that does not answer must not hold the detector up: what is missing is written at the next start.
      if (running !== null) await Promise.race([running, options.wait(CLOSE_MS_MAX)]);
    },
  };
}
