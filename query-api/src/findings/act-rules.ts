import type { FindingActName, FindingStatus, Resolution } from '../../contract/index.ts';
import type { FindingTriageTable } from '../registry/schema.ts';

/** An act on a finding, whose fields were checked. Comments change nothing of where it stands and are none. */
export interface TriageAct {
  act: Exclude<FindingActName, 'comment'>;
  as: Resolution;
  reason: string;
  /** Of a snooze; null for any other act. */
  until: Date | null;
  /** Of an assignment: e-mail, or '' for nobody; null for any other act. */
  assignee: string | null;
}

/** A finding as it is when somebody acts on it. */
export interface Standing {
  status: FindingStatus;
  severity: string;
  /** What people did so far; null before the first act. */
  kept: FindingTriageTable | null;
}

export type ActOutcome =
  { outcome: 'done'; row: FindingTriageTable } | { outcome: 'unchanged' } | { outcome: 'refused'; detail: string };

const DONE_WORDS: Record<FindingTriageTable['state'], string> = {
  open: 're-opened',
  acknowledged: 'acknowledged',
  snoozed: 'snoozed',
  resolved: 'resolved',
};

/** Who did what last, in words, for whoever comes second. */
function lastActOf(row: FindingTriageTable): string {
  if (row.state_at === null) return 'It was assigned since';
  const as = row.resolution === '' ? '' : ` as ${row.resolution.replaceAll('_', ' ')}`;
  return `${row.state_by} ${DONE_WORDS[row.state]} it${as} at ${row.state_at.toISOString()}`;
}

/**
 * What an act makes of a finding. The same act again changes nothing; one that no longer fits, or that was decided on an earlier version, is
 * refused with what happened. Pure.
 * @param seen the version that whoever acts has seen; undefined when they don't say
 */
export function decideAct(
  id: string,
  { status, severity, kept }: Standing,
  act: TriageAct,
  by: { actor: string; at: Date; seen: number | undefined },
): ActOutcome {
  const present = kept?.version ?? 0;
  const isStale = by.seen !== undefined && by.seen !== present;
  if (isSame(act, status, kept) && (!isStale || kept?.state_by === by.actor || act.act === 'assign'))
    return { outcome: 'unchanged' };
  if (isStale) {
    const what = kept === null ? 'It was never acted on' : lastActOf(kept);
    return { outcome: 'refused', detail: `${what}. You saw version ${by.seen}, it is at ${present} now.` };
  }
  if (status === 'resolved' && (act.act === 'acknowledge' || act.act === 'snooze')) {
    return { outcome: 'refused', detail: 'It is resolved: re-open it first.' };
  }
  const before: FindingTriageTable = kept ?? {
    ...{ finding_id: id, state: 'open', state_at: null, state_by: '', reason: '', resolution: '', severity: '' },
    ...{ until: null, assignee: '', comments: 0, version: 0 },
  };
  const row = { ...before, version: present + 1 };
  if (act.act === 'assign') return { outcome: 'done', row: { ...row, assignee: act.assignee ?? '' } };
  return {
    outcome: 'done',
    row: {
      ...row,
      state: STATE_OF[act.act],
      state_at: by.at,
      state_by: by.actor,
      reason: act.reason,
      resolution: act.act === 'resolve' ? act.as : '',
      severity: act.act === 'resolve' ? severity : '',
      until: act.act === 'snooze' ? act.until : null,
    },
  };
}

const STATE_OF = { acknowledge: 'acknowledged', resolve: 'resolved', reopen: 'open', snooze: 'snoozed' } as const;

function isSame(act: TriageAct, status: FindingStatus, kept: FindingTriageTable | null): boolean {
  switch (act.act) {
    case 'acknowledge':
      return status === 'acknowledged';
    case 'reopen':
      return status === 'open' || status === 'reopened';
    case 'assign':
      return (kept?.assignee ?? '') === act.assignee;
    case 'resolve':
      // What the registry resolved is resolved: nobody has to say so again.
      return (
        status === 'resolved' &&
        (kept?.state !== 'resolved' ||
          (kept.resolution === act.as && (act.reason === '' || act.reason === kept.reason)))
      );
    case 'snooze':
      return status === 'snoozed' && kept?.until?.getTime() === act.until?.getTime() && kept?.reason === act.reason;
  }
}
