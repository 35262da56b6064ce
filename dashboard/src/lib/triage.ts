import type {
  FindingItem,
  FindingStatus,
  Resolution,
  StreamTriage,
  TriageAnswer,
  TriageBefore,
  TriageRequest,
} from '@lanewatch/query-api/contract';
import { counted } from '#lib/format/count.ts';

/** One act on some findings, as query-api takes it. */
export type TriageCommand = Pick<TriageRequest, 'act'> &
  Partial<Pick<TriageRequest, 'as' | 'reason' | 'until' | 'assignee' | 'versions'>> & { ids: string[] };

/** One comment on some findings. */
export interface CommentCommand {
  ids: string[];
  text: string;
}

export const STATUS_WORDS: Record<FindingStatus, string> = {
  open: 'open',
  reopened: 're-opened',
  acknowledged: 'acknowledged',
  snoozed: 'snoozed',
  resolved: 'resolved',
};
export const RESOLUTION_WORDS: Record<Resolution | 'registry', string> = {
  fixed: 'fixed',
  false_positive: 'false positive',
  accepted_risk: 'accepted risk',
  registry: 'answered by the registry',
};

/** How long findings are put off, with its name. */
export const SNOOZE_CHOICES = [
  ['1', 'for a day'],
  ['3', 'for three days'],
  ['7', 'for a week'],
  ['30', 'for 30 days'],
] as const;

const DAY_MS = 86_400_000;

/** The end of a snooze of so many days. */
export const snoozeEnd = (days: string, nowMs: number): string =>
  new Date(nowMs + (Number(days) > 0 ? Number(days) : 1) * DAY_MS).toISOString();

/** What a form asks for: fields `act`, `id` (any number), `as`, `reason`, `days`, `assignee`, `version:<id>`. */
export function commandOf(form: FormData, nowMs: number): TriageCommand {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const [act = 'acknowledge', as = 'fixed'] = text('act').split(':');
  const ids = form.getAll('id').map(String);
  const versions = Object.fromEntries(
    ids.flatMap((id) => (form.has(`version:${id}`) ? [[id, Number(form.get(`version:${id}`))]] : [])),
  );
  return {
    act: act as TriageCommand['act'],
    ids,
    ...(act === 'resolve' ? { as: as as Resolution } : {}),
    ...(act === 'assign' ? { assignee: text('assignee') } : { reason: text('reason') }),
    ...(act === 'snooze' ? { until: snoozeEnd(text('days'), nowMs) } : {}),
    ...(Object.keys(versions).length > 0 ? { versions } : {}),
  };
}

/** A finding as it stood before an act. */
export type Before = TriageBefore & { id: string };

/** What takes an act back: findings are put where they were before it. What the registry resolved stays open: nobody resolved it by hand. */
export function undoOf({ act }: Pick<TriageCommand, 'act'>, before: readonly Before[]): TriageCommand[] {
  if (before.length === 0) return [];
  const idsOf = (of: readonly Before[]) => of.map(({ id }) => id);
  if (act === 'assign') {
    return [...Map.groupBy(before, ({ assignee }) => assignee)].map(([assignee, of]) => ({
      ...{ act: 'assign', assignee },
      ids: idsOf(of),
    }));
  }
  const commands: TriageCommand[] = [{ act: 'reopen', ids: idsOf(before) }];
  const acknowledged = before.filter(({ status }) => status === 'acknowledged');
  if (acknowledged.length > 0) commands.push({ act: 'acknowledge', ids: idsOf(acknowledged) });
  for (const of of alike(before, ({ snooze }) => snooze)) {
    const { until, reason } = of[0]!.snooze!;
    commands.push({ act: 'snooze', ids: idsOf(of), until, reason });
  }
  for (const of of alike(before, ({ resolution }) => resolution)) {
    const { as, reason } = of[0]!.resolution!;
    commands.push({ act: 'resolve', ids: idsOf(of), as, reason });
  }
  return act === 'reopen' ? commands.slice(1) : commands;
}

/** Those that have something, those with the same together: each group is one command. */
function alike(before: readonly Before[], of: (one: Before) => object | null): Before[][] {
  const having = before.filter((one) => of(one) !== null);
  return [...Map.groupBy(having, (one) => JSON.stringify(of(one))).values()];
}

/** The findings that an act changed, as they stood before it. */
export const changedBy = ({ items }: TriageAnswer): Before[] =>
  items.flatMap(({ id, before }) => (before === null ? [] : [{ id, ...before }]));

/** What was done, in words. */
export function doneWords({ act, as, assignee, ids }: TriageCommand, done: number): string {
  const what = counted(done, 'finding');
  if (done === 0) return ids.length === 1 ? 'It was so already.' : 'They were so already.';
  switch (act) {
    case 'acknowledge':
      return `${what} acknowledged.`;
    case 'resolve':
      return `${what} resolved as ${RESOLUTION_WORDS[as ?? 'fixed']}.`;
    case 'reopen':
      return `${what} open again.`;
    case 'snooze':
      return `${what} snoozed.`;
    case 'assign':
      return assignee === '' ? `${what} assigned to nobody.` : `${what} assigned${assignee === 'me' ? ' to you' : ''}.`;
  }
}

/** What came of a comment on some findings, in words. */
export const commentedWords = (done: number): string =>
  done === 0 ? 'The comment stood there already.' : `Comment added to ${counted(done, 'finding')}.`;

/** A finding after what the stream told of it. What the stream does not tell is told by the next load. */
export function afterAct(finding: FindingItem, act: StreamTriage): FindingItem {
  if (act.version < finding.version) return finding;
  const { status, severity, assignee, comments, version } = act;
  const made = { at: act.at, by: act.by };
  return {
    ...finding,
    ...{ status, severity, assignee, comments, version },
    acknowledged: status === 'acknowledged' ? (finding.acknowledged ?? made) : null,
    snooze: status === 'snoozed' ? finding.snooze : null,
    resolution: status === 'resolved' ? (finding.resolution ?? { ...made, as: 'fixed', reason: '' }) : null,
  };
}
