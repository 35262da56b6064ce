import { ProblemError } from '../http/problem.ts';
import type { Job } from '../schedule/job.ts';
import type { RegistryView } from '../registry/view.ts';
import type { RegisterParts } from '../registry/register.ts';
import { importKeys } from './keys.ts';
import type { ImportSettings } from './imports.ts';
import { adminApis } from './imports.ts';
import { AdminApiError } from './provider.ts';
import type { AdminApi, ProviderName } from './provider.ts';
import { importTotals } from './totals.ts';

export interface ImportParts extends Omit<RegisterParts, 'nowMs'> {
  settings: ImportSettings;
  registry: RegistryView;
  now: () => number;
}

/** Who a key that the job registers is told of as registered by. */
const ACTOR = 'lanewatch';
const NOTHING_SET = 'No provider’s admin key is set.';

/** The recurring imports from providers' admin interfaces. */
export function importJobs(parts: ImportParts): Job[] {
  const { settings, registry, now, ...registerParts } = parts;
  const apis = adminApis(settings);

  async function keys(provider: ProviderName, api: AdminApi): Promise<string> {
    const { imported } = await importKeys(
      { ...registerParts, nowMs: now(), snapshot: await registry.current() },
      { api, provider, org: settings.org, dryRun: !settings.registers, actor: ACTOR },
    );
    const { registered, present, bad } = imported.totals;
    return `${provider}: ${registered} ${settings.registers ? 'registered' : 'new'}, ${present} there already, ${bad} bad.`;
  }

  async function totals(provider: ProviderName, api: AdminApi): Promise<string> {
    const snapshot = await registry.current();
    const stored = await importTotals({ store: parts.store, snapshot, nowMs: now() }, { api, provider });
    return `${provider}: ${stored} totals of keys and days.`;
  }

  return [
    {
      id: 'imports.keys',
      title: 'Import keys of providers',
      does: 'Reads the keys of providers whose admin key is set, and registers new ones or says how many there are.',
      schedule: '23 * * * *',
      run: () => ofEach(apis, keys),
    },
    {
      id: 'imports.totals',
      title: 'Import what providers counted',
      does: 'Reads what providers counted of each key on the last seven days, for the rule that looks for gaps.',
      schedule: '41 * * * *',
      run: () => ofEach(apis, totals),
    },
  ];
}

/** Does the same with each provider that is set; one that does not answer stops no other. @throws {ProblemError} saying what came of each, after all */
async function ofEach(
  apis: ReadonlyMap<ProviderName, AdminApi>,
  work: (provider: ProviderName, api: AdminApi) => Promise<string>,
): Promise<string> {
  const told: string[] = [];
  let isWhole = true;
  for (const [provider, api] of apis) {
    try {
      told.push(await work(provider, api));
    } catch (error) {
      if (!(error instanceof AdminApiError)) throw error;
      told.push(error.message);
      isWhole = false;
    }
  }
  if (!isWhole) throw new ProblemError('unavailable', told.join(' '));
  return told.length === 0 ? NOTHING_SET : told.join(' ');
}
