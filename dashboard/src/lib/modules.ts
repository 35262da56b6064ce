import type { Api } from '#lib/api/client.ts';

/**
 * Modules to filter by, as people call them.
 * @param chosen the one that is filtered by: it is offered also where the registry does not have it or can't be asked, so that a form sent
 * again does not lose it
 */
export async function moduleChoices(
  api: Pick<Api, 'modules'>,
  chosen: string | undefined,
): Promise<{ module: string; label: string }[]> {
  const items = await api.modules().then(
    (modules) => modules.items,
    () => [],
  );
  const named = items.filter(({ module }) => module !== '').map(({ module, label }) => ({ module, label }));
  const isOffered = chosen === undefined || named.some(({ module }) => module === chosen);
  return isOffered ? named : [...named, { module: chosen, label: chosen }];
}
