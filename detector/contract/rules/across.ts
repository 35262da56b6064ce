import type { RuleDescription } from '../rule-description.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Rules that look across lanes or findings, and those that a job decides. */
export const ACROSS_RULES = [
  {
    id: 'R18',
    title: 'Idle or never used',
    condition: 'A registered key was not used for months.',
    severities: ['low'],
    decidedBy: 'job',
    parameters: [
      {
        name: 'idle_days',
        default: 90,
        unit: 'days',
        minimum: 1,
        description: 'Days without use; of a key never used since its making',
      },
    ],
    runbook: ['Ask the owner whether it is needed.', 'Revoke it if it is not.'],
    answeredByRevoking: true,
  },
  {
    id: 'R20',
    title: 'Rotation overdue',
    condition: 'The secret is older than the policy allows.',
    severities: ['medium', 'high'],
    decidedBy: 'job',
    parameters: [
      { name: 'age_days', default: 90, unit: 'days', minimum: 1, description: 'Age from which rotation is overdue' },
      {
        name: 'long_lived_days',
        default: 365,
        unit: 'days',
        minimum: 1,
        description: 'Age from which the secret is long-lived',
      },
    ],
    runbook: ['Rotate the key with a grace that lets its users follow.'],
    answeredByRevoking: true,
  },
  {
    id: 'R21',
    title: 'Expiring soon',
    condition: 'A key that is in use expires within days.',
    severities: ['low', 'medium'],
    decidedBy: 'job',
    parameters: [
      {
        name: 'days',
        default: '30,14,7,1',
        description: 'Days before the end at which it is told, with commas between',
      },
    ],
    runbook: ['Rotate it, or move its end if the policy allows.'],
    answeredByRevoking: true,
  },
  {
    id: 'R22',
    title: 'Weak governance score',
    condition: 'The registry lacks what limits a key: owner, end, networks, scopes, budget, environment.',
    severities: ['low', 'medium', 'high'],
    decidedBy: 'job',
    parameters: [
      {
        name: 'weak',
        default: 2,
        unit: 'count',
        minimum: 1,
        description: 'Missing limits from which it fires',
      },
      { name: 'high', default: 4, unit: 'count', minimum: 1, description: 'Missing limits from which that is high' },
    ],
    runbook: ['Open the key and fill in what is missing, the owner first.'],
    answeredByRevoking: true,
  },
  {
    id: 'R23',
    title: 'Guard removed',
    condition: 'A privileged key was made, a scope or network widened, or a budget taken off.',
    severities: ['medium', 'high'],
    decidedBy: 'job',
    parameters: [
      {
        name: 'restored_ms',
        default: 10 * MINUTE_MS,
        unit: 'ms',
        description: 'A budget or network that is back within this time is no finding',
      },
    ],
    runbook: ['Ask who changed it why; the audit trail names them.', 'Put the limit back.'],
    answeredByRevoking: true,
  },
  {
    id: 'R25',
    title: 'One address, many keys',
    condition: 'One address that nobody is known behind used several keys, or keys of several organisations.',
    severities: ['medium', 'high'],
    decidedBy: 'stream',
    parameters: [
      { name: 'keys', default: 3, unit: 'count', minimum: 2, description: 'Distinct keys from which it is many' },
      {
        name: 'orgs',
        default: 2,
        unit: 'count',
        minimum: 2,
        description: 'Distinct organisations from which it is many',
      },
      {
        name: 'window_ms',
        default: 30 * MINUTE_MS,
        unit: 'ms',
        minimum: MINUTE_MS,
        description: 'Time in which they are counted',
      },
    ],
    runbook: [
      'Find out whose address it is: an egress of your own gets a host name, and is known from then on.',
      'If it is nobody’s, rotate every key that was used from there.',
    ],
  },
  {
    id: 'R26',
    title: 'Budget',
    condition: 'Spend of the period reached a part of the key’s budget, or will exceed it.',
    severities: ['low', 'medium', 'high'],
    decidedBy: 'job',
    parameters: [
      {
        name: 'percents',
        default: '50,80,95,100',
        description: 'Parts of the budget at which it is told, with commas between',
      },
    ],
    runbook: ['Look at the largest sessions of the period.', 'Raise the budget or stop what spends it.'],
    answeredByRevoking: true,
  },
  {
    id: 'R27',
    title: 'Collector silent',
    condition: 'A collector sends nothing any more while it usually does.',
    severities: ['medium'],
    decidedBy: 'job',
    parameters: [
      {
        name: 'silent_ms',
        default: 5 * MINUTE_MS,
        unit: 'ms',
        minimum: MINUTE_MS,
        description: 'Time without a sign of life',
      },
      {
        name: 'missed_minutes',
        default: 90,
        unit: 'count',
        minimum: 1,
        description: 'Of the time of its silence, minutes in which it usually sends, at least',
      },
    ],
    runbook: [
      'See whether its process runs and reaches ingest.',
      'What it spools comes by itself. Whether everything arrived that was accepted is told under Collectors.',
    ],
  },
  {
    id: 'R28',
    title: 'Coverage gap',
    condition: 'The provider bills more than was observed.',
    severities: ['medium'],
    decidedBy: 'job',
    parameters: [
      {
        name: 'gap_percent',
        default: 10,
        unit: 'percent',
        description: 'Part of the provider’s total that was not observed',
      },
      { name: 'gap_usd', default: 5, unit: 'usd', description: 'And at least so much a key and day' },
    ],
    runbook: [
      'Find out which hosts use the key without a collector.',
      'If there is none, somebody else uses it: rotate it.',
    ],
  },
  {
    id: 'R29',
    title: 'Several rules at once',
    condition: 'Different rules hold on one lane within a day.',
    severities: ['medium', 'high', 'critical'],
    decidedBy: 'stream',
    parameters: [
      { name: 'rules', default: 2, unit: 'count', minimum: 2, description: 'Different rules, each medium or above' },
      {
        name: 'window_ms',
        default: 24 * HOUR_MS,
        unit: 'ms',
        minimum: MINUTE_MS,
        description: 'Time in which they are counted',
      },
    ],
    runbook: [
      'Take the findings that it names together: they tell one story.',
      'Act on the one of highest severity first.',
    ],
  },
] as const satisfies readonly RuleDescription[];
