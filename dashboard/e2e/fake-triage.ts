import * as contract from '@lanewatch/query-api/contract';
import { page } from './fake-lists.ts';
import { found, ProblemAnswer } from './fake-registry.ts';
import type { Organisation } from './organisation.ts';

/** Who is signed in at the fake. */
export const ADA = 'ada@example.com';

/** What the fake remembers of findings beside the findings themselves. */
export interface FakeTriage {
  history: Map<string, contract.FindingEvent[]>;
  comments: Map<string, contract.FindingDetail['comment_list']>;
}

interface Asked {
  method: string;
  id: string | undefined;
  verb: string | undefined;
  body: unknown;
  query: Record<string, unknown>;
}

const isUnresolved = ({ status }: contract.FindingItem) =>
  (contract.UNRESOLVED_STATUSES as readonly string[]).includes(status);

/** Answers `/v1/findings…` over the organisation; throws ProblemAnswer. */
export function triageAnswer(org: Organisation, kept: FakeTriage, asked: Asked, nowMs: number): unknown {
  const { method, id, verb, body, query } = asked;
  if (method === 'GET') {
    if (id === undefined) return listOf(org, contract.findingsQuerySchema.parse(query));
    if (id === 'assignees') return contract.assigneesSchema.parse({ items: [{ email: ADA, name: 'Ada' }] });
    return detailOf(org, kept, found(org.findings.find((one) => one.id === id)));
  }
  const at = new Date(nowMs).toISOString();
  if (id === 'triage') {
    const { ids, lanes, act, as, reason, until, assignee, versions } = contract.triageRequestSchema.parse(body);
    const named = ids ?? org.findings.filter(({ lane }) => lanes?.includes(lane)).map((one) => one.id);
    const items = named.map((one): contract.TriageAnswer['items'][number] => {
      const finding = org.findings.find((other) => other.id === one);
      if (finding === undefined)
        return { id: one, outcome: 'missing', detail: 'No such finding.', before: null, finding: null };
      const { status, snooze, resolution } = finding;
      const before = contract.triageOutcomeSchema.shape.before.parse({
        ...{ status, assignee: finding.assignee, snooze },
        resolution: resolution?.as === 'registry' ? null : resolution,
      });
      const refusal = actOn(kept, finding, { act, as, reason, until, assignee, version: versions?.[one] }, at);
      return refusal === null
        ? { id: one, outcome: 'done', detail: '', before, finding }
        : { id: one, outcome: 'refused', detail: refusal, before: null, finding };
    });
    return contract.triageAnswerSchema.parse({ items, done: items.filter(({ outcome }) => outcome === 'done').length });
  }
  if (id === 'comments') {
    const { ids, text } = contract.findingCommentsPostSchema.parse(body);
    const items = ids.map((one): contract.TriageAnswer['items'][number] => {
      const finding = found(org.findings.find((other) => other.id === one));
      const list = kept.comments.get(one) ?? [];
      kept.comments.set(one, [...list, { id: `c${list.length}`, at, by: ADA, text }]);
      finding.comments++;
      return { id: one, outcome: 'done', detail: '', before: null, finding };
    });
    return contract.triageAnswerSchema.parse({ items, done: items.length });
  }
  const finding = found(org.findings.find((one) => one.id === id));
  const act = contract.triageRequestSchema.shape.act.parse(verb);
  const refusal = actOn(kept, finding, { act, ...(body as object) }, at);
  if (refusal !== null) throw new ProblemAnswer(409, refusal);
  return contract.findingItemSchema.parse(finding);
}

function listOf(org: Organisation, wanted: ReturnType<typeof contract.findingsQuerySchema.parse>) {
  const ofFilter = org.findings
    .filter((one) => wanted.severity === undefined || one.severity === wanted.severity)
    .filter((one) => wanted.rule === undefined || one.rule === wanted.rule)
    .filter((one) => wanted.lane === undefined || one.lane === wanted.lane)
    .filter((one) => wanted.org === undefined || one.org === wanted.org)
    .filter(
      ({ assignee }) =>
        wanted.assignee === undefined ||
        assignee === (wanted.assignee === 'none' ? '' : wanted.assignee === 'me' ? ADA : wanted.assignee),
    );
  const items = ofFilter.filter(
    (one) =>
      wanted.status === undefined ||
      (wanted.status === 'unresolved' ? isUnresolved(one) : one.status === wanted.status),
  );
  const counts = Object.fromEntries(
    contract.FINDING_STATUSES.map((status) => [status, ofFilter.filter((one) => one.status === status).length]),
  );
  return contract.findingsPageSchema.parse({
    ...page(items, wanted),
    counts: wanted.counts === 'none' ? null : counts,
  });
}

function detailOf(org: Organisation, kept: FakeTriage, finding: contract.FindingItem): contract.FindingDetail {
  return contract.findingDetailSchema.parse({
    ...finding,
    history: kept.history.get(finding.id) ?? [],
    comment_list: kept.comments.get(finding.id) ?? [],
    similar: org.findings
      .filter((one) => one.id !== finding.id && one.rule === finding.rule)
      .slice(0, 5)
      .map((one) => ({ ...one, why: 'same_rule_and_org' })),
    runbook: ['Look at who used the key.', 'Register it, or revoke it at its provider.'],
  });
}

const MADE = { acknowledge: 'acknowledged', resolve: 'resolved', reopen: 'open', snooze: 'snoozed' } as const;

/** Does an act; answers why not, where it does not. */
function actOn(
  kept: FakeTriage,
  finding: contract.FindingItem,
  act: {
    act: Exclude<contract.FindingActName, 'comment'>;
    as?: contract.Resolution;
    reason?: string;
    until?: string | undefined;
    assignee?: string | undefined;
    version?: number | undefined;
  },
  at: string,
): string | null {
  if (act.version !== undefined && act.version !== finding.version) return `${ADA} was faster.`;
  finding.version++;
  const made = { at, by: ADA };
  const reason = act.reason ?? '';
  if (act.act === 'assign') finding.assignee = act.assignee === 'me' ? ADA : (act.assignee ?? '');
  else {
    finding.status = MADE[act.act];
    finding.acknowledged = act.act === 'acknowledge' ? made : null;
    finding.resolution = act.act === 'resolve' ? { ...made, as: act.as ?? 'fixed', reason } : null;
    finding.snooze = act.act === 'snooze' ? { ...made, until: act.until ?? at, reason } : null;
  }
  const event = { ...made, act: act.act, as: act.act === 'resolve' ? (act.as ?? 'fixed') : null, reason };
  const list = kept.history.get(finding.id) ?? [];
  const ends = { until: act.until ?? null, assignee: act.act === 'assign' ? finding.assignee : null };
  kept.history.set(finding.id, [...list, { id: `e${list.length}`, ...event, ...ends }]);
  return null;
}
