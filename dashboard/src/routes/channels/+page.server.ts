import type { Actions, PageServerLoad } from './$types';
import { channelIn, kindIn, refusal } from './channel-form.ts';

export const load: PageServerLoad = async ({ locals }) => ({ channels: await locals.api.channels() });

export const actions: Actions = {
  create: async ({ request, locals }) => {
    const form = await request.formData();
    const kind = kindIn(form);
    const outcome = await locals.api.createChannel({ kind, ...channelIn(form, kind) });
    if (!outcome.ok) return refusal(outcome.problem);
    return { done: `${outcome.value.channel.name} is told from now on.`, secret: outcome.value.signing_secret };
  },
  switch: async ({ request, locals }) => {
    const form = await request.formData();
    const enabled = form.get('enabled') === 'true';
    const outcome = await locals.api.editChannel(String(form.get('id') ?? ''), { enabled });
    if (!outcome.ok) return refusal(outcome.problem);
    return { done: `${outcome.value.name} is ${enabled ? 'on' : 'off'} now.`, secret: null };
  },
};
