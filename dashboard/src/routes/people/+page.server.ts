import { ROLES, type Role } from '@lanewatch/query-api/contract';
import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api } }) => {
  const [people, me] = await Promise.all([api.people(), api.me()]);
  return { people: people.items, myId: me.id };
};

const roleOf = (value: FormDataEntryValue | null): Role => ROLES.find((role) => role === value) ?? 'viewer';

export const actions: Actions = {
  invite: async ({ request, locals }) => {
    const form = await request.formData();
    const outcome = await locals.api.invite({
      email: String(form.get('email') ?? '').trim(),
      name: '',
      role: roleOf(form.get('role')),
    });
    if (!outcome.ok) return refused('invite', outcome.problem);
    return { part: 'invite' as const, email: outcome.value.person.email, url: outcome.value.invitation_url };
  },
  link: async ({ request, locals }) => {
    const outcome = await locals.api.newInvitationLink(String((await request.formData()).get('id') ?? ''));
    if (!outcome.ok) return refused('people', outcome.problem);
    return { part: 'invite' as const, email: outcome.value.person.email, url: outcome.value.invitation_url };
  },
  role: async ({ request, locals }) => {
    const form = await request.formData();
    const change = { role: roleOf(form.get('role')) };
    const outcome = await locals.api.changePerson(String(form.get('id') ?? ''), change);
    return outcome.ok
      ? { part: 'people' as const, done: `${outcome.value.email || outcome.value.name} is ${outcome.value.role} now.` }
      : refused('people', outcome.problem);
  },
  disable: async ({ request, locals }) => {
    const form = await request.formData();
    const change = { disabled: form.get('disabled') === 'true' };
    const outcome = await locals.api.changePerson(String(form.get('id') ?? ''), change);
    return outcome.ok
      ? {
          part: 'people' as const,
          done: `${outcome.value.email || outcome.value.name} is ${outcome.value.status} now.`,
        }
      : refused('people', outcome.problem);
  },
};
