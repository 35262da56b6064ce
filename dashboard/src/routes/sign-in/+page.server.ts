import { error, fail, redirect } from '@sveltejs/kit';
import type { Me, SignInStep } from '@lanewatch/query-api/contract';
import type { Outcome } from '#lib/api/client.ts';
import type { Actions, PageServerLoad } from './$types';

/** What asks for a page is a browser that a person steers; scripts and link previews ask for anything. */
function isBrowser(request: Request): boolean {
  return (request.headers.get('accept') ?? '').includes('text/html');
}

/** Where to after signing in: a first admin says who they are first. */
function enter(me: Me): never {
  redirect(303, me.setup === 'done' ? '/' : '/welcome?from=sign-in');
}

/**
 * With a link, a browser gets a button to press, so that nothing that only looks at links uses one up; a script with a cookie jar is
 * signed in by asking. Without a link: the ways to sign in.
 */
export const load: PageServerLoad = async ({ url, locals, request }) => {
  const link = url.searchParams.get('link') ?? '';
  const methods = await locals.api.signInMethods().catch(() => ({ password: false, passkeys: false, oidc: null }));
  const shown = { link, methods, expired: url.searchParams.get('reason') === 'expired' };
  if (link === '' || request.method === 'HEAD' || isBrowser(request)) return shown;
  const response = await locals.api.signInAsScript(link);
  if (response.status >= 400) refuseLink(response.status);
  redirect(303, '/');
};

function refuseLink(status: number): never {
  if (status === 429) {
    error(429, 'Too many sign-in links were tried here, and this one can’t be used. Wait a minute before the next.');
  }
  if (status >= 500) error(502, 'query-api can’t sign anybody in right now. Its log says why.');
  error(401, 'This sign-in link is wrong, was used already, or is too old.');
}

/** Leads on, or says what to show beside the form. */
function proceed(outcome: Outcome<SignInStep>, step: 'password' | 'second_factor', email: string) {
  if (!outcome.ok) {
    const { status, detail, title } = outcome.problem;
    return fail(status >= 500 ? 502 : status, { step, email, complaint: detail || title });
  }
  if (outcome.value.status === 'signed_in') enter(outcome.value.me);
  return { step: 'second_factor' as const, email, complaint: '' };
}

export const actions: Actions = {
  link: async ({ request, locals }) => {
    const outcome = await locals.api.signIn(String((await request.formData()).get('link') ?? ''));
    if (!outcome.ok) refuseLink(outcome.problem.status);
    enter(outcome.value);
  },
  password: async ({ request, locals }) => {
    const form = await request.formData();
    const email = String(form.get('email') ?? '').trim();
    const password = String(form.get('password') ?? '');
    return proceed(await locals.api.signInByPassword(email, password), 'password', email);
  },
  second_factor: async ({ request, locals }) => {
    const form = await request.formData();
    const code = String(form.get('code') ?? '').replace(/\s/g, '');
    const kind = /^\d{6}$/.test(code) ? 'totp' : 'recovery_code';
    return proceed(await locals.api.signInBySecondFactor(code, kind), 'second_factor', '');
  },
};
