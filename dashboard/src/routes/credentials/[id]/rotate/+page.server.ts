import { needsStepUp } from '#lib/form-answer.ts';
import { INGEST_URL } from '$app/env/private';
import { fail, redirect } from '@sveltejs/kit';
import { holdsRawKey } from '@lanewatch/query-api/contract/raw-key';
import { credentialHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';
import type { Actions, PageServerLoad } from './$types';

const HOUR_S = 3_600;

export const load: PageServerLoad = async ({ locals, params }) => {
  const [credential, impact] = await Promise.all([
    locals.api.credential(params.id),
    locals.api.impact(params.id, 'rotate').catch(() => null),
  ]);
  return { credential, impact, ingestUrl: INGEST_URL };
};

/** Seconds of grace that a form asks for; `custom` in hours. */
function graceOf(form: FormData): number {
  const grace = String(form.get('grace') ?? '0');
  return grace === 'custom' ? Math.round(Number(form.get('grace_hours')) * HOUR_S) : Number(grace);
}

export const actions: Actions = {
  /** Rotates. A key of ours answers with its new secret, this once. */
  default: async ({ request, locals, params }) => {
    const form = await request.formData();
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const [fingerprint, hint, reason] = [text('fingerprint'), text('hint'), text('reason')];
    const outcome = await locals.api.rotateCredential(params.id, {
      grace_seconds: graceOf(form),
      reason,
      ...(form.has('version') ? { version: Number(form.get('version')) } : {}),
      ...(fingerprint === '' ? {} : { fingerprint }),
      ...(hint === '' ? {} : { hint }),
    });
    if (!outcome.ok) {
      const { status, detail, title, errors } = outcome.problem;
      const stepUp = needsStepUp(outcome.problem);
      const refused = { detail: detail || title, errors, stepUp, mayBeDone: outcome.mayBeDone };
      return fail(status >= 500 ? 502 : status, { refused, reason: holdsRawKey(reason) ? '' : reason });
    }
    const { credential, secret, previous, published } = outcome.value;
    if (secret === null) {
      const said = { done: 'rotated', published: published ? null : 'later' };
      redirect(303, credentialHref(params.id) + queryString(said));
    }
    const { id, name, hint: newHint, may_ship_events: shipsEvents } = credential;
    return { issued: { id, name, hint: newHint, secret, shipsEvents }, validUntil: previous.valid_until };
  },
};
