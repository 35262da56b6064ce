import { isAnyNetwork, type CredentialRecord } from '@lanewatch/ingest/contract';
import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import type { KeySweep } from './sweep.ts';

/** What the registry lacks that limits a key, in the words findings use. */
function missingLimits(record: CredentialRecord): string[] {
  return [
    record.owner === '' && 'owner',
    record.expires_at === null && 'expiry',
    (record.allowed_cidrs.length === 0 || record.allowed_cidrs.some(isAnyNetwork)) && 'networks',
    record.scopes.some(({ action }) => action === '*' || action === 'admin') && 'scopes',
    record.budget === null && 'budget',
    record.environment === '' && 'environment',
  ].filter((name) => name !== false);
}

/** R22: so many limits are missing. What is missing is part of its identity: one more missing is another finding. */
export function weakGovernance(overrides?: ParameterValues): KeySweep {
  const parameters = parametersOf('R22', overrides);
  const weak = Number(parameters['weak']);
  const high = Number(parameters['high']);
  return {
    id: 'R22',
    parameters,
    decide({ record }) {
      const missing = missingLimits(record);
      if (missing.length < weak) return [];
      const severity = missing.length >= high ? 'high' : missing.length > weak ? 'medium' : 'low';
      return [{ dedupe: missing, severity, facts: { missing }, sinceMs: null }];
    },
  };
}
