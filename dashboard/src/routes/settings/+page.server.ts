import { redirect } from '@sveltejs/kit';
import { DIRECTORIES, directoryHref } from '#lib/directories.ts';

export const load = () => redirect(303, directoryHref(DIRECTORIES[0]!));
