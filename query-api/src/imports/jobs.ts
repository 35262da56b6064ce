import type { Job } from '../schedule/job.ts';
import type { RegistryView } from '../registry/view.ts';
import type { RegisterParts } from '../registry/register.ts';
import { importKeys } from './keys.ts';
import type { ImportSettings } from './imports.ts';
import { adminApis } from './imports.ts';
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

  async function keys(): Promise<string> {
    const told: string[] = [];
    for (const [provider, api] of apis) {
      const { imported } = await importKeys(
        { ...registerParts, nowMs: now(), snapshot: await registry.current() },
        { api, provider, org: settings.org, dryRun: !settings.registers, actor: ACTOR },
      );
      const { registered, present, bad } = imported.totals;
      told.push(
        `${provider}: ${registered} ${settings.registers ? 'registered' : 'new'}, ${present} there already, ${bad} bad.`,
      );
    }
    return told.length === 0 ? NOTHING_SET : told.join(' ');
  }

  async function totals(): Promise<string> {
    const told: string[] = [];
    for (const [provider, api] of apis) {
      const snapshot = await registry.current();
      const stored = await importTotals({ store: parts.store, snapshot, nowMs: now() }, { api, provider });
      told.push(`${provider}: ${stored} totals of keys and days.`);
    }
    return told.length === 0 ? NOTHING_SET : told.join(' ');
  }

  return [
    {
      id: 'imports.keys',
      title: 'Import keys of providers',
      does: 'Reads the keys of providers whose admin key is set, and registers new ones or says how many there are.',
      schedule: '23 * * * *',
      run: keys,
    },
    {
      id: 'imports.totals',
      title: 'Import what providers counted',
      does: 'Reads what providers counted of each key on the last seven days, for the rule that looks for gaps.',
      schedule: '41 * * * *',
      run: totals,
    },
  ];
}
