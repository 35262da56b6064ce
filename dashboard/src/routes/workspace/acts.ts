import { fail, type Action } from '@sveltejs/kit';
import { triageRequestSchema, type Problem, type TriageAnswer } from '@lanewatch/query-api/contract';
import { z } from 'zod';
import type { Outcome as Answer } from '#lib/api/client.ts';
import { needsStepUp } from '#lib/form-answer.ts';
import { changedBy, snoozeEnd, undoOf } from '#lib/triage.ts';
import { refuseRequestOf, registerRequestOf } from './register.ts';
import type { Outcome, Refused } from './outcome.ts';

const LANES_MAX = 100;
/** Findings of a state that are put back at once. */
const REOPENED_MAX = 100;
const undoSchema = z.array(triageRequestSchema).min(1).max(LANES_MAX);
type TriageAct = 'acknowledge' | 'snooze' | 'assign' | 'reopen';

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

function told(answer: Answer<TriageAnswer>, outcome: Pick<Outcome, 'lane' | 'next'> & { act: TriageAct }) {
  if (!answer.ok) return refuse(outcome.act, outcome.lane, answer.problem, answer.mayBeDone);
  const changed = changedBy(answer.value);
  const undo = undoOf(outcome, changed);
  return { done: { ...outcome, undo, count: changed.length, credential: '' } satisfies Outcome };
}

const acknowledge: Action = async ({ request, locals }) => {
  const { lane, next, lanes } = aboutOf(await request.formData());
  return told(await locals.api.triage({ act: 'acknowledge', lanes }), { act: 'acknowledge', lane, next });
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
    ...{ act: 'snooze', lane, next },
  });
};

const assign: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane, next, lanes } = aboutOf(form);
  return told(await locals.api.triage({ act: 'assign', lanes, assignee: text(form, 'assignee') }), {
    ...{ act: 'assign', lane, next },
  });
};

/** Puts back into the queue what is in work or put off. By their ids: what is resolved on the lane stays so. */
const reopen: Action = async ({ request, locals }) => {
  const { lane, next } = aboutOf(await request.formData());
  const decided = await Promise.all(
    (['acknowledged', 'snoozed'] as const).map((status) => locals.api.findings({ lane, status, limit: REOPENED_MAX })),
  );
  const ids = decided.flatMap(({ items }) => items.map(({ id }) => id));
  if (ids.length === 0)
    return incomplete('reopen', lane, 'lane', 'Nothing on this key is put off or in work any more.');
  return told(await locals.api.triage({ act: 'reopen', ids }), { act: 'reopen', lane, next });
};

/** The commands that a form of undoing carries, a text each; query-api checks what they say. Null for what is none. */
function commandsOf(form: FormData) {
  try {
    return undoSchema.parse(form.getAll('undo').map((command) => JSON.parse(String(command)) as unknown));
  } catch {
    return null;
  }
}

/** Takes back what can be taken back: findings stand as they did, in work or put off where they were. */
const undo: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane } = aboutOf(form);
  const commands = commandsOf(form);
  if (commands === null) return incomplete('undo', lane, 'undo', 'What to undo can’t be read. Nothing was changed.');
  for (const command of commands) {
    const answer = await locals.api.triage(command);
    if (!answer.ok) return refuse('undo', lane, answer.problem, answer.mayBeDone);
  }
  return { done: { act: 'undo', lane, next: '', undo: [], count: 0, credential: '' } satisfies Outcome };
};

const register: Action = async ({ request, locals }) => {
  const form = await request.formData();
  const { lane: name, next } = aboutOf(form);
  const lane = await locals.api.lane(name, '90d');
  const answer = await locals.api.createCredential(registerRequestOf(form, lane));
  if (!answer.ok) return refuse('register', name, answer.problem, answer.mayBeDone);
  const { credential, findings_resolved: count } = answer.value;
  return { done: { act: 'register', lane: name, next, undo: [], count, credential: credential.id } satisfies Outcome };
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
  return { done: { act: 'revoke', lane: name, next, undo: [], count, credential: id } satisfies Outcome };
};

/** Actions of every page that shows the workspace. */
export const caseActions = { acknowledge, snooze, assign, reopen, undo, register, revoke };
