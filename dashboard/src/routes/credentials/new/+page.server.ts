import { INGEST_URL } from '$app/env/private';
import { fail, isHttpError, redirect } from '@sveltejs/kit';
import type { LaneDetail } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';
import { credentialHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';
import { emptyFields, fieldsOf, methodOf, missingIn, requestOf, shownAgain, type Fields } from './form.ts';
import type { Actions, PageServerLoad } from './$types';

/** What a lane already tells about its key. */
function prefilled(lane: LaneDetail): Fields {
  const people = lane.users;
  return {
    ...emptyFields(),
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
  const lane = await laneNamed(locals.api, url.searchParams.get('lane') ?? '');
  const asked = url.searchParams.get('method');
  const method = methodOf(asked ?? (lane === null ? null : lane.fingerprint === '' ? 'hint' : 'fingerprint'));
  return {
    method,
    lane: lane && { lane: lane.lane, hint: lane.hint, registration: lane.registration },
    fields: lane ? prefilled(lane) : emptyFields(),
    ingestUrl: INGEST_URL,
  };
};

export const actions: Actions = {
  /** Registers or issues. A registered key leads to its page; an issued one answers with its secret, this once. */
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const method = methodOf(String(form.get('method')));
    const fields = fieldsOf(form);
    const missing = missingIn(method, fields);
    if (missing) return fail(400, { method, fields: shownAgain(fields), ...missing, mayBeDone: false });
    const outcome = await locals.api.createCredential(requestOf(method, fields));
    if (!outcome.ok) {
      const { status, detail, title, errors } = outcome.problem;
      return fail(status >= 500 ? 502 : status, {
        ...{ method, fields: shownAgain(fields) },
        ...{ detail: detail || title, errors, mayBeDone: outcome.mayBeDone },
      });
    }
    const { credential, secret, findings_resolved: resolved, standing, published } = outcome.value;
    if (secret !== null) return { issued: { id: credential.id, name: credential.name, hint: credential.hint, secret } };
    redirect(
      303,
      credentialHref(credential.id) +
        queryString({ done: 'registered', resolved, standing, published: published ? null : 'later' }),
    );
  },
};
