import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals: { api } }) => ({ rules: (await api.rules()).items });
