import { SEVERITIES, type Finding, type Severity } from '../../contract/index.ts';

/** What an occurrence proved when it came, where that can't be told from the rows later: kept with the row (ledger column evidence). */
export interface Evidence {
  severity: Severity;
  /** Of the occurrence, epoch milliseconds. */
  atMs: number;
  facts: Finding['facts'];
}

/** Facts are told anew after so long, although the occurrence is no worse than the one before. */
const STALE_MS = 24 * 3_600_000;
/** Of a finding id, and the blank behind it. */
const PREFIX_LENGTH = 29;

export function rankOf(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** Whether an occurrence tells more than the evidence that is held: it is worse, or that is of another day. */
export function tellsMore(held: string, severity: Severity, atMs: number): boolean {
  if (held === '') return true;
  const before = evidenceOf(held);
  return rankOf(severity) > rankOf(before.severity) || atMs - before.atMs >= STALE_MS;
}

export function evidenceText(evidence: Evidence): string {
  return JSON.stringify(evidence);
}

/** The evidence of a text of {@link evidenceText}; of a finding whose rows carry none, the least there is to say. */
export function evidenceOf(text: string): Evidence {
  return text === '' ? { severity: 'low', atMs: 0, facts: {} } : (JSON.parse(text) as Evidence);
}

/** As a row carries it: behind the id of its finding. */
export function evidenceOnRow(findingId: string, text: string): string {
  return `${findingId} ${text}`;
}

/** The text of a finding's evidence on a row; '' when the row has none of it. */
export function evidenceFor(findingId: string, onRow: readonly string[]): string {
  return onRow.find((text) => text.startsWith(findingId))?.slice(PREFIX_LENGTH) ?? '';
}
