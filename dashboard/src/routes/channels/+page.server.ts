import { fail } from '@sveltejs/kit';
import { CHANNEL_KINDS, type ChannelCreate, type Problem } from '@lanewatch/query-api/contract';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => ({ channels: await locals.api.channels() });

const refusal = ({ status, detail, title, errors }: Problem) =>
  fail(status >= 500 ? 502 : status, {
    complaint: errors.map(({ path, message }) => `${path} ${message}`).join(', ') || detail || title,
  });

export const actions: Actions = {
  create: async ({ request, locals }) => {
    const form = await request.formData();
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const list = (name: string) =>
      text(name)
        .split(/[,\n]/)
        .map((one) => one.trim())
        .filter((one) => one !== '');
    const kind = CHANNEL_KINDS.find((one) => one === text('kind')) ?? 'webhook';
    const outcome = await locals.api.createChannel({
      ...{ kind, name: text('name') },
      ...(kind === 'email' ? { to: list('address') } : { url: text('address') }),
      severity: text('severity') as ChannelCreate['severity'],
      pace: text('pace') as ChannelCreate['pace'],
      ...{ orgs: list('orgs'), projects: list('projects'), owners: list('owners') },
      ...{ quiet_from: text('quiet_from') || null, quiet_to: text('quiet_to') || null },
    });
    if (!outcome.ok) return refusal(outcome.problem);
    return { done: `${outcome.value.channel.name} is told from now on.`, secret: outcome.value.signing_secret };
  },
  test: async ({ request, locals }) => {
    const outcome = await locals.api.testChannel(String((await request.formData()).get('id') ?? ''));
    if (!outcome.ok) return refusal(outcome.problem);
    const { ok, detail, duration_ms: ms } = outcome.value;
    return ok
      ? { done: `The test message was sent. ${detail} (${ms} ms)`, secret: null }
      : fail(502, { complaint: `The test message did not get there. ${detail}` });
  },
  switch: async ({ request, locals }) => {
    const form = await request.formData();
    const enabled = form.get('enabled') === 'true';
    const outcome = await locals.api.editChannel(String(form.get('id') ?? ''), { enabled });
    if (!outcome.ok) return refusal(outcome.problem);
    return { done: `${outcome.value.name} is ${enabled ? 'on' : 'off'} now.`, secret: null };
  },
};
