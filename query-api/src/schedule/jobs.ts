import type { Accounts } from '../accounts/accounts.ts';
import { importJobs } from '../imports/jobs.ts';
import type { ImportParts } from '../imports/jobs.ts';
import { policyJobs } from '../policies/jobs.ts';
import type { PolicyParts } from '../policies/facts.ts';
import type { Job } from './job.ts';

/** What jobs work with. */
export interface JobParts {
  accounts: Accounts;
  policies: PolicyParts;
  imports: ImportParts;
}

/** Every job there is. A part that has one adds it here. */
export function jobsOf(parts: JobParts): Job[] {
  return [...policyJobs(parts.policies), ...importJobs(parts.imports), pruneAccounts(parts)];
}

function pruneAccounts({ accounts }: JobParts): Job {
  return {
    id: 'accounts.prune',
    title: 'Remove ended sessions',
    does: 'Removes sessions, links and codes that have ended.',
    schedule: '17 * * * *',
    async run() {
      await accounts.prune();
      return 'Ended sessions, links and codes are removed.';
    },
  };
}
