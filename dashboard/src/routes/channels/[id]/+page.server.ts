import { error, fail } from '@sveltejs/kit';
import type { Channel } from '@lanewatch/query-api/contract';
import { editIn, refusal } from '../channel-form.ts';
import type { Actions, PageServerLoad } from './$types';

async function channelOf({ api }: App.Locals, id: string): Promise<Channel> {
  const channel = (await api.channels()).items.find((one) => one.id === id);
  return channel ?? error(404, 'No channel has this id.');
}

export const load: PageServerLoad = async ({ locals, params }) => {
  const [channel, deliveries] = await Promise.all([
    channelOf(locals, params.id),
    locals.api.channelDeliveries(params.id),
  ]);
  return { channel, deliveries: deliveries.items };
};

export const actions: Actions = {
  save: async ({ request, locals, params }) => {
    const form = await request.formData();
    const outcome = await locals.api.editChannel(params.id, editIn(form, await channelOf(locals, params.id)));
    return outcome.ok ? { done: 'Saved.' } : refusal(outcome.problem);
  },
  test: async ({ locals, params }) => {
    const outcome = await locals.api.testChannel(params.id);
    if (!outcome.ok) return refusal(outcome.problem);
    const { ok, detail, duration_ms: ms } = outcome.value;
    return ok
      ? { done: `The test message was sent. ${detail} (${ms} ms)` }
      : fail(502, { complaint: `The test message did not get there. ${detail}` });
  },
};
