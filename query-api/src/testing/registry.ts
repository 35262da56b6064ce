import { findingIdOf, RISK_OF } from '@lanewatch/detector/contract';
import type { Finding } from '@lanewatch/detector/contract';
import { credentialRecordSchema, topicsOf } from '@lanewatch/ingest/contract';
import type { Bus, CredentialRecord } from '@lanewatch/ingest/contract';

export const FINGERPRINT = 'd'.repeat(64);
export const HINT = 'sk-ant-api03-R2D...igAA';
export const TOPIC = topicsOf('', 1).credentials;

/** Everything on the credentials topic so far, oldest first. */
export async function topicRecords(bus: Bus): Promise<{ key: string | null; record: CredentialRecord }[]> {
  const records: { key: string | null; record: CredentialRecord }[] = [];
  const view = await bus.followLatest(TOPIC.name, ({ key, value }) => {
    records.push({ key, record: credentialRecordSchema.parse(JSON.parse(value.toString('utf8'))) });
  });
  await view.caughtUp();
  await view.close();
  return records;
}

/** A finding of now with the given parts. */
export function finding(parts: Partial<Finding> & Pick<Finding, 'rule' | 'lane'>): Finding {
  const now = new Date().toISOString();
  return {
    id: findingIdOf(parts.rule, parts.lane, []),
    fingerprint: '',
    hint: HINT,
    org: '',
    credential_id: '',
    severity: 'high',
    risk: RISK_OF.high,
    first_seen: now,
    last_seen: now,
    last_received_at: now,
    occurrences: 1,
    facts: { spend_usd: '0.61', users: ['ada'] },
    parameters: { spend_usd: 5 },
    ledger_filter: { lane: parts.lane, finding: findingIdOf(parts.rule, parts.lane, []) },
    ...parts,
  };
}
