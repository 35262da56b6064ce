import type { Mark } from '@lanewatch/query-api/contract/credential-facts';

/** Marks in words: on the list, and what each means. */
export const MARK_WORDS: Record<Mark, { label: string; meaning: string }> = {
  idle: { label: 'idle', meaning: 'Not used in 90 days' },
  unclear_name: { label: 'unclear name', meaning: 'Its name does not say what it is for' },
  too_many_old_keys: {
    label: 'too many old keys',
    meaning: 'Its owner has three or more active keys older than 90 days',
  },
  no_owner: { label: 'no owner', meaning: 'Nobody answers for it' },
  no_org: { label: 'no organization', meaning: 'No organization answers for it' },
  no_expiry: { label: 'no expiry', meaning: 'It never ends' },
  any_network: { label: 'any network', meaning: 'It works from any address' },
  rotation_overdue: { label: 'rotation overdue', meaning: 'Its secret is older than 90 days' },
};
