import { fail, type Action } from '@sveltejs/kit';
import type { Problem, TriageAnswer } from '@lanewatch/query-api/contract';
import type { Outcome as Answer } from '#lib/api/client.ts';
import { needsStepUp } from '#lib/form-answer.ts';
import { snoozeEnd } from '#lib/triage.ts';
import { refuseRequestOf, registerRequestOf } from './register.ts';
import type { Outcome, Refused } from './outcome.ts';

const LANES_MAX = 100;

const text = (form: FormData, name: string): string => {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
};

/** What every form of the workspace carries: which lanes it is about, and where the queue goes on. */
function aboutOf(form: FormData): Pick<Outcome, 'lane' | 'next'> & { lanes: string[] } {
  const lanes = form.getAll('lanes').map(String).slice(0, LANES_MAX);
  return { lane: text(form, 'lane'), next: text(form, 'next'), lanes: lanes.length > 0 ? lanes : [text(form, 'lane')] };
}

function refuse(act: Outcome['act'], lane: string, problem: Problem, mayBeDone: boolean) {
  const { status, detail, title, errors } = problem;
  const refused: Refused = { act, lane, detail: detail || title, errors, mayBeDone, stepUp: needsStepUp(problem) };
  return fail(status >= 500 ? 502 : status, { refused });
}

/** What is missing is told as query-api would. */
function incomplete(act: Outcome['act'], lane: string, path: string, message: string) {
  const problem = { type: 'about:blank', title: message, status: 400, detail: message, request_id: '' };
  return refuse(act, lane, { ...problem, errors: [{ path, message }] }, false);
}

function told(answer: Answer<TriageAnswer>, outcome: Omit<Outcome, 'ids' | 'count'>) {
  if (!answer.ok) return refuse(outcome.act, outcome.lane, answer.problem, answer.mayBeDone);
  const ids = answer.value.items.filter(({ outcome: one }) => one === 'done').map(({ id }) => id);
  return { done: { ...outcome, ids, count: ids.length } satisfies Outcome };
}

const acknowledge: Action = async ({ request, locals }) => {
  const { lane, next, lanes } = aboutOf(await request.formData());
  return told(await locals.api.triage({ act: 'acknowledge', lanes }), { act: 'acknowledge', lane, next, before: '' });
};

const snooze: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane, next, lanes } = aboutOf(form);
  const days = Number(text(form, 'days'));
  const reason = text(form, 'reason');
  if (!(days >= 1 && days <= 365)) return incomplete('snooze', lane, 'days', 'Say for how many days, 1 to 365.');
  if (reason === '') return incomplete('snooze', lane, 'reason', 'Say why: whoever looks later wants to know.');
  const until = snoozeEnd(String(days), Date.now());
  return told(await locals.api.triage({ act: 'snooze', lanes, until, reason }), {
    ...{ act: 'snooze', lane, next, before: '' },
  });
};

const assign: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane, next, lanes } = aboutOf(form);
  const before = text(form, 'before');
  return told(await locals.api.triage({ act: 'assign', lanes, assignee: text(form, 'assignee') }), {
    ...{ act: 'assign', lane, next, before },
  });
};

/** Takes back what can be taken back: findings acknowledged or put off are open again, an assignment is what it was. */
const undo: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane } = aboutOf(form);
  const ids = form.getAll('ids').map(String);
  const ofAssign = text(form, 'act') === 'assign';
  const body = ofAssign
    ? { act: 'assign' as const, ids, assignee: text(form, 'before') }
    : { act: 'reopen' as const, ids };
  return told(await locals.api.triage(body), { act: 'undo', lane, next: '', before: '' });
};

const register: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane: name, next } = aboutOf(form);
  const lane = await locals.api.lane(name, '90d');
  const answer = await locals.api.createCredential(registerRequestOf(form, lane));
  if (!answer.ok) return refuse('register', name, answer.problem, answer.mayBeDone);
  const { credential, findings_resolved: count } = answer.value;
  return { done: { act: 'register', lane: name, next, ids: [], count, before: credential.id } satisfies Outcome };
};

/** Revokes the key of a lane. A provider's key that nobody registered is put on record as revoked: its next use is a finding of its own. */
const revoke: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane: name, next } = aboutOf(form);
  const lane = await locals.api.lane(name, '90d');
  const reason = text(form, 'reason');
  const shown = lane.hint || lane.fingerprint.slice(0, 12);
  if (reason === '') return incomplete('revoke', name, 'reason', 'Say why: the reason is kept with the key.');
  if (text(form, 'confirm') !== shown) return incomplete('revoke', name, 'confirm', `Type ${shown} as it stands.`);
  const key = lane.credential;
  const answer = await (key === null
    ? locals.api.refuseKey(refuseRequestOf(lane, reason))
    : locals.api.revokeCredential(key.id, { reason, confirm: key.name }));
  if (!answer.ok) return refuse('revoke', name, answer.problem, answer.mayBeDone);
  const { id, findings_resolved: count } = answer.value;
  return { done: { act: 'revoke', lane: name, next, ids: [], count, before: id } satisfies Outcome };
};

/** Actions of every page that shows the workspace. */
export const caseActions = { acknowledge, snooze, assign, undo, register, revoke };
