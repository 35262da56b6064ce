import { z } from 'zod';
import { instantSchema } from './common.ts';

/** What a new organisation does once, in this order. */
export const ONBOARDING_STEPS = [
  'signing',
  'service_account',
  'first_key',
  'first_event',
  'usage_confirmed',
  'evidence_captured',
] as const;
export type OnboardingStepId = (typeof ONBOARDING_STEPS)[number];

const stepSchema = z.object({
  id: z.enum(ONBOARDING_STEPS),
  state: z
    .enum(['done', 'open', 'unknown'])
    .describe('Found out by looking, never ticked off by hand. unknown: the ledger does not answer now'),
  at: instantSchema.nullable().describe('When it was done, where that is known'),
  ref: z
    .string()
    .describe('Id of what it was done with: a key, service account, signing key or evidence; empty for none'),
  name: z.string().describe('The same for people'),
});
export type OnboardingStep = z.infer<typeof stepSchema>;

/** `GET /v1/onboarding`: what keeps a new organisation from a first key whose use is proven. */
export const onboardingSchema = z.object({
  steps: z.array(stepSchema),
  is_complete: z.boolean(),
  key: z
    .object({ credential_id: z.string(), name: z.string(), calls: z.number().int().nullable() })
    .nullable()
    .describe('The key that the steps are about: of those for service accounts the one in use, else the first'),
});
export type Onboarding = z.infer<typeof onboardingSchema>;
