import { json } from '@sveltejs/kit';
import { z } from 'zod';
import type { Outcome } from './api/client.ts';

const response = z.record(z.string(), z.unknown());
/** What a page asks about passkeys, one step after the other. */
const passkeyStepSchema = z.discriminatedUnion('step', [
  z.object({ step: z.literal('options') }),
  z.object({ step: z.literal('add'), name: z.string().max(80), response }),
  z.object({ step: z.literal('sign_in'), response }),
]);

/** The outcome of such a step for the page's script. */
export function answerStep(outcome: Outcome<unknown>): Response {
  if (outcome.ok) return json(outcome.value ?? {});
  const { status, detail, title, type } = outcome.problem;
  return json({ complaint: detail || title, stepUp: type.endsWith(':step_up_needed') }, { status });
}

/** The step that a request asks for; null for anything else. */
export async function stepOf(request: Request) {
  const parsed = passkeyStepSchema.safeParse(await request.json().catch(() => null));
  return parsed.success ? parsed.data : null;
}
