import { fail } from '@sveltejs/kit';
import type { Problem } from '@lanewatch/query-api/contract';

/** What a form of a page with several is told when query-api refused: which form, what is wrong as a whole and of which field. */
export interface Refusal<Part extends string> {
  part: Part;
  complaint: string;
  errors: { path: string; message: string }[];
  /** A fresh TOTP code would let it through. */
  stepUp: boolean;
}

/** Whether a fresh TOTP code would let through what was refused. */
export function needsStepUp(problem: Pick<Problem, 'type'>): boolean {
  return problem.type === 'urn:lanewatch:problem:step_up_needed';
}

/** Answers a form with the problem that came of it. */
export function refused<Part extends string>(part: Part, problem: Problem) {
  const { status, detail, title, errors } = problem;
  const refusal: Refusal<Part> = {
    part,
    complaint: errors.length === 0 ? detail || title : '',
    errors,
    stepUp: needsStepUp(problem),
  };
  return fail(status >= 500 ? 502 : status, refusal);
}
