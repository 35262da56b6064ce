/** What spend is told apart by. Pure, without schemas: pages use it in the browser. */
export const SPEND_DIMENSIONS = [
  'lane',
  'user',
  'agent',
  'repo',
  'model',
  'org',
  'project',
  'team',
  'owner',
  'standing',
  'environment',
] as const;
export type SpendDimension = (typeof SPEND_DIMENSIONS)[number];
