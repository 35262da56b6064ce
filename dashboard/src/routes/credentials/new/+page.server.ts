import { INGEST_URL } from '$app/env/private';
import { fail, redirect } from '@sveltejs/kit';
import type { LaneDetail } from '@lanewatch/query-api/contract';
import { isHintOnly } from '#lib/hint-only.ts';
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

export const load: PageServerLoad = async ({ locals, url }) => {
  const laneId = url.searchParams.get('lane');
  const lane = laneId === null || laneId === '' ? null : await locals.api.lane(laneId, '90d');
  const asked = url.searchParams.get('method');
  const method = methodOf(asked ?? (lane === null ? null : lane.fingerprint === '' ? 'hint' : 'fingerprint'));
  return {
    method,
    lane: lane && { lane: lane.lane, hint: lane.hint, hintOnly: isHintOnly(lane) },
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
    if (missing)
      return fail(400, { method, fields: shownAgain(fields), detail: missing.detail, errors: missing.errors });
    const outcome = await locals.api.createCredential(requestOf(method, fields));
    if (!outcome.ok) {
      const { status, detail, title, errors } = outcome.problem;
      return fail(status >= 500 ? 502 : status, {
        ...{ method, fields: shownAgain(fields) },
        ...{ detail: detail || title, errors },
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
