import type { Problem } from '@lanewatch/query-api/contract';

export const CASE_ACTS = ['acknowledge', 'snooze', 'assign', 'register', 'revoke', 'undo'] as const;
export type CaseAct = (typeof CASE_ACTS)[number];

/** What came of an act. */
export interface Outcome {
  act: CaseAct;
  lane: string;
  /** Lane of the case that comes next in the queue; '' for none. */
  next: string;
  /** Findings it changed; they are what undoing is about. */
  ids: string[];
  /** How many findings it changed or resolved. */
  count: number;
  /** Of an assignment who had it before; of a key registered or revoked its id. */
  before: string;
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
