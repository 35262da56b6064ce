import type { DirectoryKind } from '@lanewatch/query-api/contract';
import { credentialsHref } from '#lib/links.ts';
import { queryString } from '#lib/query.ts';

/** Words for what keys belong to, and where its page is below /settings. */
export interface DirectoryWords {
  kind: DirectoryKind;
  path: string;
  plural: string;
  one: string;
  about: string;
  /** By what the registry lists their keys. */
  filter: 'project' | 'team' | 'owner';
}

export const DIRECTORIES: readonly DirectoryWords[] = [
  {
    ...{ kind: 'project', path: 'projects', plural: 'Projects', one: 'project', filter: 'project' },
    about: 'What is a key for? Policies, budgets and notifications can be set for a project.',
  },
  {
    ...{ kind: 'team', path: 'teams', plural: 'Teams', one: 'team', filter: 'team' },
    about: 'Who shares a key? A team’s key is not reported for being used by several people.',
  },
  {
    ...{ kind: 'service_account', path: 'service-accounts', plural: 'Service accounts', one: 'service account' },
    filter: 'owner',
    about: 'Which program works with a key? A person answers for each.',
  },
];

export const directoryHref = (words: Pick<DirectoryWords, 'path'>, query: Record<string, string> = {}) =>
  `/settings/${words.path}${queryString(query)}`;

/** The registry's keys of one of them; all of them, or those that work. */
export const keysOfHref = ({ filter }: DirectoryWords, name: string, all = false) =>
  credentialsHref({ [filter]: name, ...(all ? { status: 'all' } : {}) });
