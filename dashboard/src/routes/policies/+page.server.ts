import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api } }) => {
  const [policies, waiting] = await Promise.all([api.policies(), api.collections()]);
  return { policies: policies.items, waiting: waiting.items };
};
