import type { Owners } from '@lanewatch/query-api/contract';
import { CREDENTIAL_ENVIRONMENTS } from '@lanewatch/query-api/contract/credential-facts';
import type { Api } from '#lib/api/client.ts';

/** What forms offer to choose from. Names that are not offered can be typed all the same. */
export interface KeyChoices {
  modules: (readonly [id: string, label: string])[];
  projects: string[];
  teams: string[];
  owners: Owners['items'];
}

export const ENVIRONMENT_CHOICES = CREDENTIAL_ENVIRONMENTS.map((one) => [one, one] as const);

/** Read for a form: where one of the lists can't be had the form goes without it. */
export async function keyChoicesOf(api: Api): Promise<KeyChoices> {
  const [modules, projects, teams, owners] = await Promise.allSettled([
    api.modules(),
    api.directory('project'),
    api.directory('team'),
    api.owners(),
  ]);
  const names = (list: typeof projects) =>
    list.status === 'fulfilled'
      ? list.value.items.filter(({ archived_at: archived }) => archived === null).map(({ name }) => name)
      : [];
  return {
    modules:
      modules.status === 'fulfilled'
        ? modules.value.items.filter(({ module }) => module !== '').map(({ module, label }) => [module, label] as const)
        : [],
    projects: names(projects),
    teams: names(teams),
    owners: owners.status === 'fulfilled' ? owners.value.items : [],
  };
}
