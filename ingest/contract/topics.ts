/** A topic as every process expects it to exist. */
export interface TopicSpec {
  name: string;
  partitions: number;
  /** Compacted topics keep at least the last record of every key. */
  compacted: boolean;
}

/** How many partitions the usage topic gets when nothing else is configured. */
export const USAGE_PARTITIONS_DEFAULT = 12;

/** Usage events; key = lane, so that everything of one credential is in one partition, in order. */
export const USAGE_TOPIC = 'lanewatch.usage.v1';
/** Registry records; compacted; key = {@link credentialRecordKey}. */
export const CREDENTIALS_TOPIC = 'lanewatch.credentials.v1';
/** Findings as they are raised or grow; key = finding id. */
export const FINDINGS_TOPIC = 'lanewatch.findings.v1';
/** Records that could not be decoded: original bytes, reason in a header. */
export const DEAD_LETTER_TOPIC = 'lanewatch.usage.dead-letter.v1';
/** How rules are set, every version of each; compacted; key = `<rule>/<version>`. */
export const RULES_TOPIC = 'lanewatch.rules.v1';
/** What holds for requests through the observing proxy; compacted; key = {@link PROXY_POLICY_KEY}. */
export const POLICIES_TOPIC = 'lanewatch.policies.v1';
/** Rules to be held against stored events with other settings; compacted; key = id of the backtest. */
export const BACKTESTS_TOPIC = 'lanewatch.backtests.v1';
/** What each ingest and detector process counted per collector; compacted; key = `<instance>/<its start>/<collector>`. */
export const COLLECTOR_COUNTS_TOPIC = 'lanewatch.collector-counts.v1';

/**
 * The topics of one installation.
 * @param prefix put before every name, '' in production; tests use it to keep to themselves
 * @param usagePartitions partitions of the usage topic
 */
export function topicsOf(prefix: string, usagePartitions: number) {
  return {
    usage: { name: prefix + USAGE_TOPIC, partitions: usagePartitions, compacted: false },
    credentials: { name: prefix + CREDENTIALS_TOPIC, partitions: 1, compacted: true },
    findings: { name: prefix + FINDINGS_TOPIC, partitions: 1, compacted: false },
    deadLetter: { name: prefix + DEAD_LETTER_TOPIC, partitions: 1, compacted: false },
    rules: { name: prefix + RULES_TOPIC, partitions: 1, compacted: true },
    policies: { name: prefix + POLICIES_TOPIC, partitions: 1, compacted: true },
    backtests: { name: prefix + BACKTESTS_TOPIC, partitions: 1, compacted: true },
    collectorCounts: { name: prefix + COLLECTOR_COUNTS_TOPIC, partitions: 1, compacted: true },
  } satisfies Record<string, TopicSpec>;
}

export type Topics = ReturnType<typeof topicsOf>;
