import type { EntityKind } from '@lanewatch/query-api/contract';
import type { IconName } from '#lib/ui/Icon.svelte';
import { ENTITY_PATHS } from '#lib/links.ts';
import type { Query } from '#lib/query.ts';

/** What a kind is called, and what is said where an event does not name it. */
interface KindWords {
  plural: string;
  singular: string;
  /** In place of the empty value. */
  absent: string;
  /** What the list answers. */
  question: string;
  icon: IconName;
  /** Names that are read sign by sign. */
  mono: boolean;
}

export const ENTITY_WORDS: Record<EntityKind, KindWords> = {
  user: {
    ...{ plural: 'People', singular: 'person', absent: 'person unresolved', icon: 'people', mono: false },
    question: 'Who used which keys, and which of these are unknown?',
  },
  endpoint: {
    ...{ plural: 'Endpoints', singular: 'endpoint', absent: 'endpoint unknown', icon: 'endpoints', mono: true },
    question: 'From which addresses and hosts are keys used?',
  },
  agent: {
    ...{ plural: 'Agents', singular: 'agent', absent: 'agent not named', icon: 'agents', mono: false },
    question: 'Which programs use keys, and whose?',
  },
  repo: {
    ...{
      plural: 'Repositories',
      singular: 'repository',
      absent: 'no repository named',
      icon: 'repositories',
      mono: false,
    },
    question: 'In which repositories are keys used?',
  },
  model: {
    ...{ plural: 'Models', singular: 'model', absent: 'no model named', icon: 'models', mono: false },
    question: 'Which models are called, with which keys, and what do they cost?',
  },
  session: {
    ...{ plural: 'Sessions', singular: 'session', absent: 'no session named', icon: 'sessions', mono: true },
    question: 'Which runs used which keys, and what did each cost?',
  },
  org: {
    ...{
      plural: 'Organizations',
      singular: 'organization',
      absent: 'organization unknown',
      icon: 'organizations',
      mono: false,
    },
    question: 'Under which organizations are keys used?',
  },
};

/** The kind whose pages begin with a segment, such as `users`. */
export function kindOfPath(segment: string): EntityKind | undefined {
  const kinds = Object.entries(ENTITY_PATHS) as [EntityKind, string][];
  return kinds.find(([, path]) => path === `/${segment}`)?.[0];
}

/** The ledger's filter for the rows of a value. */
export function rowsOf(kind: EntityKind, value: string): Query {
  if (value !== '') return { [kind]: value };
  return { without: kind === 'endpoint' ? ['ip', 'host'] : [kind] };
}
