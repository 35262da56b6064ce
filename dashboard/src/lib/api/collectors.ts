import {
  collectorsSchema,
  deadLetterDetailSchema,
  deadLetterSchema,
  deadLettersPageSchema,
} from '@lanewatch/query-api/contract';
import { queryString, type Query } from '#lib/query.ts';
import type { Calls } from './client.ts';

const LETTERS = '/v1/dead-letters';
const one = (id: string) => `${LETTERS}/${encodeURIComponent(id)}`;

/** Collectors and dead letters, as the pages ask for them. */
export function collectorCalls({ read, command }: Pick<Calls, 'read' | 'command'>) {
  return {
    collectors: () => read(collectorsSchema, '/v1/collectors'),
    deadLetters: (query: Query) => read(deadLettersPageSchema, `${LETTERS}${queryString(query)}`),
    deadLetter: (id: string) => read(deadLetterDetailSchema, one(id)),
    replayDeadLetter: (id: string) => command(deadLetterSchema, `${one(id)}/replay`, {}),
  };
}
