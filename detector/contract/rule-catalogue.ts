import type { Severity } from './finding.ts';

/** One tunable of a rule, shown with its findings; set by RULE_PARAMETERS. */
export interface RuleParameter {
  name: string;
  default: number | boolean | string;
  /** Of numbers the least that can be set; 0 when nothing is said. */
  minimum?: number;
  description: string;
}

/** What people read about a rule. */
export interface RuleDescription {
  id: string;
  title: string;
  /** One sentence: when it holds. */
  condition: string;
  severities: readonly Severity[];
  parameters: readonly RuleParameter[];
}

/** The rules in force, with the defaults of their parameters. */
export const RULE_CATALOGUE = [
  {
    id: 'R01',
    title: 'Unknown key',
    condition: 'The key is not in the allowlist at event time, and its use was not denied.',
    severities: ['high', 'critical'],
    parameters: [
      {
        name: 'session_active_ms',
        default: 30 * 60_000,
        description: 'An event this fresh at receipt counts as an active session: one level up',
      },
      { name: 'spend_usd', default: 5, description: 'Spend on the lane from which the finding goes one level up' },
      {
        name: 'unresolved_endpoint_raises',
        default: true,
        description:
          'One level up when an event came from an address with neither a host name nor a resolved user to it',
      },
    ],
  },
  {
    id: 'R02',
    title: 'Ambiguous hint match',
    condition: 'No fingerprint matches, and the hint fits one or more allowlisted keys without telling which.',
    severities: ['medium'],
    parameters: [],
  },
  {
    id: 'R03',
    title: 'Revoked or expired key in use',
    condition: 'The key was used after its revocation, expiry or the end of its grace.',
    severities: ['high', 'critical'],
    parameters: [
      {
        name: 'skew_ms',
        default: 60_000,
        description: 'Tolerance for senders whose clock can’t be checked against receipt',
      },
    ],
  },
  {
    id: 'R05',
    title: 'Shared lane',
    condition: 'More people than declared used the key within the window.',
    severities: ['medium', 'high'],
    parameters: [
      {
        name: 'window_ms',
        default: 24 * 3_600_000,
        minimum: 60_000,
        description: 'Window in which distinct people are counted',
      },
      {
        name: 'people_on_personal_key',
        default: 2,
        minimum: 2,
        description: 'Distinct people from which a personal (or unregistered) key is shared',
      },
      {
        name: 'people_over_declared',
        default: 1,
        minimum: 1,
        description: 'People above the declared number from which a team key is shared too broadly',
      },
    ],
  },
] as const satisfies readonly RuleDescription[];

export type RuleId = (typeof RULE_CATALOGUE)[number]['id'];
