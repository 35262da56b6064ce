import type { DirectoryItem } from '@lanewatch/query-api/contract';
import { redirect } from '@sveltejs/kit';
import { DIRECTORIES, directoryHref, type DirectoryWords } from '#lib/directories.ts';
import { refused } from '#lib/form-answer.ts';
import type { Actions, PageServerLoad } from './$types';

/** The route's parameter is one of them: see params.ts. */
const wordsOf = (path: string): DirectoryWords => DIRECTORIES.find((one) => one.path === path)!;

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const words = wordsOf(params.directory);
  const [directory, owners] = await Promise.all([
    locals.api.directory(words.kind),
    // Only whoever makes keys is told; the field takes what is typed in any case.
    locals.api.owners().then(
      ({ items }) => items,
      () => [],
    ),
  ]);
  const showsArchived = url.searchParams.get('archived') === 'true';
  const named = url.searchParams.get('edit');
  return {
    words,
    items: directory.items.filter((one) => showsArchived || one.archived_at === null),
    archived: directory.items.filter((one) => one.archived_at !== null).length,
    showsArchived,
    people: owners.filter(({ kind }) => kind === 'person'),
    edited: directory.items.find(({ name }) => name === named) ?? null,
    done: doneOf(url.searchParams, directory.items),
  };
};

/** What is said of what was just done here. An address is believed only as far as the list bears it out. */
function doneOf(query: URLSearchParams, items: readonly DirectoryItem[]): { name: string; says: string } | null {
  const item = items.find(({ name }) => name === query.get('of'));
  if (item === undefined) return null;
  const isArchived = item.archived_at !== null;
  const done = query.get('done');
  if (done === 'archived' && isArchived) return { name: item.name, says: 'is archived: no form offers it any more.' };
  if (done === 'offered' && !isArchived) return { name: item.name, says: 'is offered again.' };
  return done === 'saved' ? { name: item.name, says: 'is saved.' } : null;
}

const text = (form: FormData, name: string): string => String(form.get(name) ?? '').trim();

export const actions: Actions = {
  make: async ({ request, locals, params }) => {
    const words = wordsOf(params.directory);
    const form = await request.formData();
    const sent = { name: text(form, 'name'), owner: text(form, 'owner'), description: text(form, 'description') };
    const outcome = await locals.api.addToDirectory(words.kind, sent);
    if (!outcome.ok) return refused('make', outcome.problem);
    redirect(303, directoryHref(words, { done: 'saved', of: sent.name }));
  },
  edit: async ({ request, locals, params }) => {
    const words = wordsOf(params.directory);
    const form = await request.formData();
    const sent = { name: text(form, 'name'), owner: text(form, 'owner'), description: text(form, 'description') };
    const outcome = await locals.api.editInDirectory(words.kind, String(form.get('of') ?? ''), sent);
    if (!outcome.ok) return refused('edit', outcome.problem);
    redirect(303, directoryHref(words, { done: 'saved', of: sent.name }));
  },
  archive: async ({ request, locals, params }) => {
    const words = wordsOf(params.directory);
    const form = await request.formData();
    const of = String(form.get('of') ?? '');
    const archived = form.get('archived') === 'true';
    const outcome = await locals.api.editInDirectory(words.kind, of, { archived });
    if (!outcome.ok) return refused('edit', outcome.problem);
    redirect(303, directoryHref(words, { done: archived ? 'archived' : 'offered', of }));
  },
};
