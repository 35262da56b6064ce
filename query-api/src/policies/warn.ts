import type { PolicyId } from '../../contract/index.ts';
import type { CredentialRow } from '../registry/record.ts';
import { judge } from './evaluate.ts';
import type { Judged } from './evaluate.ts';
import type { Facts } from './facts.ts';
import type { NewNotice } from './notices.ts';
import { DAY_MS } from './rules.ts';
import type { PolicySet } from './settings.ts';

export const WARNING_POLICIES = [
  'expiry_alerts',
  'usage_monitoring',
  'suspicious_activity',
] as const satisfies PolicyId[];

/** Which notice kinds come of a policy. */
export const NOTICE_KINDS: Readonly<Partial<Record<PolicyId, readonly string[]>>> = {
  auto_rotation: ['rotation.offered', 'rotation.last_warning', 'rotation.missed'],
  expiry_alerts: ['key.expires'],
  usage_monitoring: ['key.idle'],
  suspicious_activity: ['key.suspicious'],
};

/** Notices that keys give cause for now; they may have been made before. Pure. */
export function noticesFor(row: CredentialRow, known: { set: PolicySet; facts: Facts; nowMs: number }): NewNotice[] {
  return WARNING_POLICIES.flatMap((id) => {
    const judged = judge(id, row, { ...known, modes: ['watch', 'enforce'] });
    return judged?.why == null ? [] : [noticeOf(id, judged, known)];
  });
}

function noticeOf(
  id: (typeof WARNING_POLICIES)[number],
  { row, setting, why }: Judged,
  { facts, nowMs }: { facts: Facts; nowMs: number },
): NewNotice {
  const text = `${row.name}: ${why}`;
  switch (id) {
    case 'expiry_alerts': {
      // The nearest distance only: whoever was down for a month is not told of the end four times.
      const leftMs = row.expires_at!.getTime() - nowMs;
      const days = (setting.settings['days'] as number[]).filter((one) => leftMs <= one * DAY_MS);
      const threshold = `${Math.min(...days)}d`;
      return { kind: 'key.expires', subject: row.id, threshold, key: row.expires_at!.toISOString(), text };
    }
    case 'usage_monitoring': {
      // Idle anew after it was used again.
      const { lastUse } = facts.of(row);
      const since = typeof lastUse === 'number' ? new Date(lastUse).toISOString() : 'never used';
      return { kind: 'key.idle', subject: row.id, threshold: '', key: since, text };
    }
    case 'suspicious_activity': {
      const { worstOpen } = facts.of(row);
      // Once a secret and severity: each finding is told by its own channel.
      return { kind: 'key.suspicious', subject: row.id, threshold: String(worstOpen), key: row.record_key, text };
    }
  }
}

/** Without notices that something nearer was told of already: after a clock that was set back they would come in the wrong order. Pure. */
export function notOvertaken(
  wanted: readonly NewNotice[],
  made: readonly Pick<NewNotice, 'kind' | 'subject' | 'threshold' | 'key'>[],
): NewNotice[] {
  return wanted.filter(
    (one) =>
      !made.some(
        (other) =>
          other.kind === one.kind &&
          other.subject === one.subject &&
          other.key === one.key &&
          (one.kind !== 'key.expires' || Number.parseFloat(other.threshold) <= Number.parseFloat(one.threshold)) &&
          (one.kind !== 'key.suspicious' || other.threshold === one.threshold),
      ),
  );
}
