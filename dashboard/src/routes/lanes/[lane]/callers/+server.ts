import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

/** Who used a lane in the last 7 days, for the dialog that revokes its key. */
export const GET: RequestHandler = async ({ locals, params }) => json(await locals.api.laneCallers(params.lane));
