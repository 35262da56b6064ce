import * as contract from '@lanewatch/query-api/contract';
import type { Organisation } from './organisation.ts';

/** What the fake answers about keys by module and by environment. */
export function groups(org: Organisation) {
  const use = { last_used_at: null, usage: 'available' as const };
  const countOf = (list: contract.CredentialItem[]) => ({
    ...{ keys: list.length, active: list.filter(({ status }) => status === 'active').length, ...use },
  });
  return {
    modules: contract.modulesSchema.parse({
      items: [...contract.MODULES_DEFAULT, { id: '', label: '' }].map(({ id, label }) => ({
        ...{ module: id, label, ...countOf(org.credentials.filter(({ module }) => module === id)) },
        risk:
          id === 'monitoring_logs'
            ? { level: 'medium', reasons: [{ code: 'no_expiry', keys: 3, message: '3 keys never end' }] }
            : { level: 'low', reasons: [] },
      })),
    }),
    environments: contract.environmentsSchema.parse({
      items: [...contract.CREDENTIAL_ENVIRONMENTS, ''].map((environment) => ({
        ...{ environment, ...countOf(org.credentials.filter((one) => one.environment === environment)) },
      })),
    }),
  };
}
