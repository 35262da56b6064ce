import { needsStepUp } from '#lib/form-answer.ts';
import { fail, isHttpError, redirect } from '@sveltejs/kit';
import type { LaneDetail } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';
import { createHref, credentialHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';
import { keyChoicesOf } from '../fields/choices.ts';
import { emptyKeyFields, keyFieldsOf, registerRequestOf, shownAgain, type KeyFields } from '../fields/key-fields.ts';
import { methodOf, missingIn } from './register.ts';
import type { Actions, PageServerLoad } from './$types';

/** What a lane already tells about its key. */
function prefilled(lane: LaneDetail): KeyFields {
  const people = lane.users;
  return {
    ...emptyKeyFields(),
    fingerprint: lane.fingerprint,
    hint: lane.hint,
    provider: lane.provider,
    org: lane.org,
    sharing: people > 1 ? 'team' : 'personal',
    people_declared: String(Math.max(1, people)),
  };
}

/** An outage, of the ledger or of query-api. */
const isOutage = (cause: unknown) => [502, 503, 504].some((status) => isHttpError(cause, status as 502));

/** The lane that the address names; null without one, and where it can't be had: its key can be registered all the same. */
async function laneNamed(api: Api, lane: string): Promise<LaneDetail | null> {
  if (lane === '') return null;
  try {
    return await api.lane(lane, '90d');
  } catch (cause) {
    if (isOutage(cause)) return null;
    throw cause;
  }
}

export const load: PageServerLoad = async ({ locals, url }) => {
  const asked = url.searchParams.get('method');
  // A collector's key is one of ours, and those have a form of their own; addresses of older releases still lead there.
  if (asked === 'collector') redirect(303, createHref({ template: 'collector' }));
  const [lane, choices] = await Promise.all([
    laneNamed(locals.api, url.searchParams.get('lane') ?? ''),
    keyChoicesOf(locals.api),
  ]);
  return {
    method: methodOf(asked ?? (lane === null ? null : lane.fingerprint === '' ? 'hint' : 'fingerprint')),
    lane: lane && { lane: lane.lane, hint: lane.hint, registration: lane.registration },
    fields: lane ? prefilled(lane) : emptyKeyFields(),
    choices,
  };
};

export const actions: Actions = {
  /** Registers a provider's key and leads to its page. */
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const method = methodOf(String(form.get('method')));
    const fields = keyFieldsOf(form);
    const missing = missingIn(method, fields);
    if (missing) return fail(400, { method, fields: shownAgain(fields), refused: { ...missing, mayBeDone: false } });
    const outcome = await locals.api.createCredential(registerRequestOf(fields, method === 'hint', Date.now()));
    if (!outcome.ok) {
      const { status, detail, title, errors } = outcome.problem;
      const stepUp = needsStepUp(outcome.problem);
      const refused = { detail: detail || title, errors, stepUp, mayBeDone: outcome.mayBeDone };
      return fail(status >= 500 ? 502 : status, { method, fields: shownAgain(fields), refused });
    }
    const { credential, findings_resolved: resolved, findings_lowered: lowered, standing, published } = outcome.value;
    const said = { done: 'registered', resolved, lowered, standing, published: published ? null : 'later' };
    redirect(303, credentialHref(credential.id) + queryString(said));
  },
};
