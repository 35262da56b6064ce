import type { Problem } from '@lanewatch/query-api/contract';
import type { TriageCommand } from '#lib/triage.ts';

export const CASE_ACTS = ['acknowledge', 'snooze', 'assign', 'reopen', 'register', 'revoke', 'undo'] as const;
export type CaseAct = (typeof CASE_ACTS)[number];

/** What came of an act. */
export interface Outcome {
  act: CaseAct;
  lane: string;
  /** Lane of the case that comes next in the queue; '' for none. */
  next: string;
  /** What takes it back, one after the other; none where it can't be. */
  undo: TriageCommand[];
  /** How many findings it changed or resolved. */
  count: number;
  /** Of a key registered or revoked its id; else ''. */
  credential: string;
}

/** Why an act was not done, or that nobody knows. */
export interface Refused {
  act: CaseAct;
  lane: string;
  detail: string;
  errors: Problem['errors'];
  mayBeDone: boolean;
  stepUp: boolean;
}

/** What a page of the workspace is given back by its forms. */
export type CaseForm = { done?: Outcome; refused?: Refused } | null | undefined;
