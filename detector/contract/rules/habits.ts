import type { RuleDescription } from '../rule-description.ts';

const DAY_MS = 24 * 3_600_000;

/** Rules that hold a use against what is usual on its lane. */
export const HABIT_RULES = [
  {
    id: 'R05',
    title: 'Shared lane',
    condition: 'More people than declared used the key within the window.',
    severities: ['medium', 'high'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'window_ms',
        default: DAY_MS,
        unit: 'ms',
        minimum: 60_000,
        description: 'Window in which distinct people are counted',
      },
      {
        name: 'people_on_personal_key',
        default: 2,
        unit: 'count',
        minimum: 2,
        description: 'Distinct people from which a personal (or unregistered) key is shared',
      },
      {
        name: 'people_over_declared',
        default: 1,
        unit: 'count',
        minimum: 1,
        description: 'People above the declared number from which a team key is shared too broadly',
      },
    ],
    runbook: [
      'See whether the people are one: an e-mail address and a user name of the same person count as two.',
      'Give each of them a key of their own, then rotate this one.',
      'If it is meant to be shared, make it a team key and declare how many people use it.',
    ],
    answeredByRevoking: true,
  },
  {
    id: 'R06',
    title: 'Concurrent use',
    condition: 'One personal key was used from two places at once.',
    severities: ['low', 'medium', 'high'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'window_ms',
        default: 30 * 60_000,
        unit: 'ms',
        minimum: 60_000,
        description: 'Uses that are less apart are at once',
      },
    ],
    runbook: [
      'Ask the owner whether both places are theirs (a laptop and a build host, say).',
      'If one of them is not, revoke the key and look through the sessions from that place.',
    ],
  },
  {
    id: 'R07',
    title: 'First seen',
    condition:
      'A lane with a history was used from a network, by an agent, in a repository, on a model or in an environment that it was never seen with.',
    severities: ['low', 'medium', 'high'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'history_ms',
        default: 10 * DAY_MS,
        unit: 'ms',
        minimum: DAY_MS,
        description: 'What was not seen for so long while the key was in use counts as new',
      },
      {
        name: 'lane_age_ms',
        default: 3 * DAY_MS,
        unit: 'ms',
        minimum: DAY_MS,
        description: 'A younger lane is still learning',
      },
      { name: 'events', default: 20, unit: 'count', minimum: 1, description: 'Successful calls that make a history' },
    ],
    runbook: [
      'Ask the user of the session whether the new network or agent is theirs.',
      'If it is not, rotate the key; else resolve the finding as expected: the value is usual from now on.',
    ],
  },
  {
    id: 'R12',
    title: 'Lane flip',
    condition: 'Somebody whose work in a repository ran on one key for days works with another one now.',
    severities: ['low', 'medium', 'high'],
    decidedBy: 'stream',
    parameters: [
      { name: 'days', default: 3, unit: 'days', minimum: 1, description: 'Active days on the key before' },
      { name: 'of_days', default: 7, unit: 'days', minimum: 1, description: 'Out of so many last active days' },
    ],
    runbook: [
      'Ask them which key it is: a personal account at work is the usual answer.',
      'Register the new key or have them go back to the one before.',
    ],
  },
  {
    id: 'R13',
    title: 'Impossible travel',
    condition: 'Two uses of a personal key are further apart than anybody travels in the time between.',
    severities: ['low', 'high'],
    decidedBy: 'stream',
    parameters: [
      { name: 'distance_km', default: 500, unit: 'km', minimum: 1, description: 'Least distance' },
      { name: 'speed_km_h', default: 800, unit: 'km/h', minimum: 1, description: 'Least speed' },
      {
        name: 'within_ms',
        default: DAY_MS,
        unit: 'ms',
        minimum: 60_000,
        description: 'Uses further apart in time are not compared',
      },
      {
        name: 'relay_words',
        default: 'vpn,relay,proxy,hosting',
        description: 'Networks with one of these words in their name are relays, which lower it to low',
      },
    ],
    runbook: [
      'Ask the owner whether one of the addresses is a VPN or a server of theirs.',
      'If it is not, revoke the key: two people have it.',
    ],
  },
  {
    id: 'R15',
    title: 'Enumerate, then invoke',
    condition: 'On the first day of a lane its models were listed and one was called shortly after.',
    severities: ['low', 'high'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'within_ms',
        default: 15 * 60_000,
        unit: 'ms',
        minimum: 60_000,
        description: 'Longest time from the list to the call',
      },
      { name: 'first_day_ms', default: DAY_MS, unit: 'ms', minimum: 60_000, description: 'How long a lane is new' },
    ],
    runbook: [
      'Trying out what a key can do is what finders of leaked keys do first: ask whose it is.',
      'If nobody answers for it, revoke it at its provider.',
    ],
  },
  {
    id: 'R19',
    title: 'Dormant key wakes',
    condition: 'A key that nobody used for weeks is used from a new network or by a new agent.',
    severities: ['high'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'idle_ms',
        default: 30 * DAY_MS,
        unit: 'ms',
        minimum: DAY_MS,
        description: 'Time without use that makes a key dormant',
      },
    ],
    runbook: ['Ask the owner whether they took the key up again.', 'If they did not, revoke it: nobody will miss it.'],
  },
] as const satisfies readonly RuleDescription[];
