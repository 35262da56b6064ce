import { FINDINGS_TABLE, LEDGER_TABLE, RISK_OF, type Severity } from '@lanewatch/detector/contract';

const SEVERITY_OF: Record<string, Severity> = { R01: 'high', R02: 'medium', R03: 'critical', R05: 'medium' };

/** The statement that writes the findings which the rows carry, as the detector would have them after the last row. */
export function findingsSql(database: string): string {
  const bySeverity = (read: (severity: Severity) => string, otherwise: string): string =>
    `transform(rule, [${Object.keys(SEVERITY_OF)
      .map((rule) => `'${rule}'`)
      .join(', ')}], [${Object.values(SEVERITY_OF).map(read).join(', ')}], ${otherwise})`;
  return `
INSERT INTO ${database}.${FINDINGS_TABLE} (id, rule, lane, fingerprint, hint, org, credential_id, severity, risk, first_seen, last_seen,
  last_received_at, occurrences, facts, parameters, ledger_filter, kafka_partition, claimant)
SELECT finding, substring(finding, 1, 3) AS rule, any(lane), any(fingerprint), argMax(hint, seen_at), argMax(org, seen_at),
  argMax(credential_id, seen_at), ${bySeverity((severity) => `'${severity}'`, `'medium'`)},
  ${bySeverity((severity) => String(RISK_OF[severity]), '47')},
  min(seen_at), max(seen_at), max(received_at), count(),
  concat('{"spend_usd":"', toString(round(toFloat64(sum(cost_usd)), 2)), '"}'), '{}', concat('{"finding":"', finding, '"}'),
  any(kafka_partition), dictGet('${database}.claims_by_partition', 'claimant', toUInt64(any(kafka_partition)))
FROM ${database}.${LEDGER_TABLE} ARRAY JOIN findings AS finding
GROUP BY finding`;
}
