import type { RuleDescription } from '../rule-description.ts';

const HOUR_MS = 3_600_000;

/** Rules that hold how much a lane calls, spends or is refused against an hour of it. */
export const AMOUNT_RULES = [
  {
    id: 'R10',
    title: 'Spend spike',
    condition: 'The hour costs far more than hours of this lane do.',
    severities: ['medium', 'high', 'critical'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'z',
        default: 3,
        unit: 'score',
        minimum: 1,
        description: 'Robust distance from the median of the same hour, medium from here on',
      },
      { name: 'z_high', default: 4, unit: 'score', minimum: 1, description: 'The same, high from here on' },
      {
        name: 'z_critical',
        default: 5,
        unit: 'score',
        minimum: 1,
        description: 'The same, critical from here on, if the spend is as well',
      },
      {
        name: 'median_times',
        default: 2,
        unit: 'times',
        minimum: 1,
        description: 'How many times the median it must be',
      },
      {
        name: 'busiest_times',
        default: 2,
        unit: 'times',
        minimum: 1,
        description: 'How many times the busiest hour so far it must be',
      },
      { name: 'spend_usd', default: 10, unit: 'usd', description: 'An hour below this is no spike' },
      { name: 'high_usd', default: 20, unit: 'usd', description: 'An hour below this is not high' },
      { name: 'critical_usd', default: 100, unit: 'usd', description: 'An hour below this is not critical' },
      { name: 'days', default: 7, unit: 'days', minimum: 1, description: 'Active days that make a baseline' },
      {
        name: 'cold_usd',
        default: 50,
        unit: 'usd',
        description: 'Without a baseline, an hour from which it is a spike',
      },
    ],
    runbook: [
      'Look at the sessions of that hour: one that runs by itself is stopped by stopping its agent.',
      'Set a budget on the key, so that the next one ends by itself.',
      'If nobody knows the sessions, revoke the key.',
    ],
  },
  {
    id: 'R11',
    title: 'Spread spike',
    condition: 'Far more calls than usual, and from far more networks or people, new ones among them.',
    severities: ['high'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'volume_z',
        default: 3,
        unit: 'score',
        minimum: 1,
        description: 'Robust distance of the hour’s calls from the median',
      },
      { name: 'spread_z', default: 2, unit: 'score', minimum: 1, description: 'The same of its networks or people' },
      { name: 'calls', default: 100, unit: 'count', minimum: 1, description: 'An hour with fewer calls is no spike' },
      { name: 'days', default: 7, unit: 'days', minimum: 1, description: 'Active days that make a baseline' },
      {
        name: 'cold_networks',
        default: 3,
        unit: 'count',
        minimum: 2,
        description: 'Without a baseline, networks in an hour from which it is one',
      },
    ],
    runbook: [
      'Compare the hour’s addresses and people with those of the days before.',
      'Rotate the key: where it went is more than anybody can follow up.',
    ],
  },
  {
    id: 'R16',
    title: 'Denied burst',
    condition: 'Many calls of the key were refused in a short time.',
    severities: ['medium'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'refused',
        default: 3,
        unit: 'count',
        minimum: 1,
        description: 'Refused models or scopes above which it is a burst',
      },
      {
        name: 'window_ms',
        default: HOUR_MS,
        unit: 'ms',
        minimum: 60_000,
        description: 'Time in which they are counted',
      },
      {
        name: 'failed_logins',
        default: 10,
        unit: 'count',
        minimum: 1,
        description: 'Failed authentications from which it is a burst',
      },
      {
        name: 'login_window_ms',
        default: 10 * 60_000,
        unit: 'ms',
        minimum: 60_000,
        description: 'Time in which those are counted',
      },
    ],
    runbook: [
      'See what was refused: a model that the key lacks is a matter of its scopes.',
      'Failed authentication again and again is a secret that was replaced, or somebody who tries keys.',
    ],
  },
  {
    id: 'R17',
    title: 'High rate',
    condition: 'One model is called far more often than usual on this lane.',
    severities: ['medium'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'calls',
        default: 500,
        unit: 'count',
        minimum: 1,
        description: 'Calls of one model in an hour from which it is one',
      },
      {
        name: 'usual_times',
        default: 5,
        unit: 'times',
        minimum: 1,
        description: 'How many times the usual hour it must be',
      },
    ],
    runbook: [
      'Look at the sessions of that hour: a loop is stopped by stopping its agent.',
      'If nobody knows them, rotate the key.',
    ],
  },
] as const satisfies readonly RuleDescription[];
