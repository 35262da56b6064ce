import { error } from '@sveltejs/kit';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  const [{ items }, deliveries] = await Promise.all([locals.api.channels(), locals.api.channelDeliveries(params.id)]);
  const channel = items.find(({ id }) => id === params.id);
  if (channel === undefined) error(404, 'No channel has this id.');
  return { channel, deliveries: deliveries.items };
};
