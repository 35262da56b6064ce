import type { OnboardingStepId } from '@lanewatch/query-api/contract';

/** What each step is called, why it is there, and what is said of it while it is missing. */
export const STEP_WORDS: Record<OnboardingStepId, { title: string; why: string; blocker: string }> = {
  signing: {
    title: 'Set up key signing',
    why: 'A pair of keys (Ed25519) is made for this organisation, once: a second set-up is refused. Its private half signs receipts and evidence and stays here, encrypted; with the public half anybody can see that they came from here.',
    blocker: 'Baseline bootstrap is not complete yet: nothing can be signed.',
  },
  service_account: {
    title: 'Make a service account',
    why: 'Programs get keys of their own, and a person answers for each of them.',
    blocker: 'Service account is still missing.',
  },
  first_key: {
    title: 'Issue its first key',
    why: 'Start with the scope runs:write, and add others only when the key needs them. The secret is shown once.',
    blocker: 'API key is still missing: none that is active is for a service account.',
  },
  first_event: {
    title: 'Receive the first event',
    why: 'Nothing is known about keys in use until something reports them: a coding agent, a proxy, or one event by hand.',
    blocker: 'No event has arrived yet.',
  },
  usage_confirmed: {
    title: 'Confirm that the key is used',
    why: 'Use the new key once: have a service ask verify about it, or a client report a call with it. Its calls appear in the ledger, named by its fingerprint.',
    blocker: 'No call of the key is in the ledger yet.',
  },
  evidence_captured: {
    title: 'Capture the evidence',
    why: 'Export the activity of the key, then capture evidence of that export: its run ids and its receipt, signed, on one page to print or keep.',
    blocker: 'No evidence was captured yet.',
  },
};
