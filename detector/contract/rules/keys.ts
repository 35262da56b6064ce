import type { RuleDescription } from '../rule-description.ts';

/** Rules that hold a use against what the registry says of the key. */
export const KEY_RULES = [
  {
    id: 'R01',
    title: 'Unknown key',
    condition: 'The key is not in the allowlist at event time, and its use was not denied.',
    severities: ['medium', 'high', 'critical'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'session_active_ms',
        default: 30 * 60_000,
        unit: 'ms',
        description: 'An event this fresh at receipt counts as an active session',
      },
      {
        name: 'spend_usd',
        default: 5,
        unit: 'usd',
        description: 'Spend on the lane from which the finding is critical',
      },
      {
        name: 'live_spend_usd',
        default: 1,
        unit: 'usd',
        description: 'Spend from which an active session or an unresolved endpoint makes the finding critical',
      },
      {
        name: 'unresolved_endpoint_raises',
        default: true,
        description:
          'Whether an address with neither a host name nor a resolved user to it counts as unresolved endpoint',
      },
    ],
    runbook: [
      'Look at who used the key, from where and in which repository: the rows are all of it.',
      'Ask the person, or the owner of the repository, whose key it is. Where everything but the key is known, a missing entry is more likely than a thief.',
      'Register it if it belongs here, with an owner, an environment and an end: that resolves this finding.',
      'If it does not, revoke it at its provider, change what it was stored beside, and look through its sessions for what it reached.',
    ],
    answeredByRegistering: 'unknown',
    answeredByRevoking: true,
  },
  {
    id: 'R02',
    title: 'Ambiguous hint match',
    condition: 'No fingerprint matches, and the hint fits one or more allowlisted keys without telling which.',
    severities: ['medium'],
    decidedBy: 'stream',
    parameters: [],
    runbook: [
      'See which registered keys have the same hint: the lane names them.',
      'Have the collector send the fingerprint of the key beside its hint: it names one key for certain.',
      'Register the organisation of each key that shares the hint, and have the collector name it, so that the two single one out.',
    ],
    answeredByRegistering: 'ambiguous',
    answeredByRevoking: true,
  },
  {
    id: 'R03',
    title: 'Revoked or expired key in use',
    condition: 'The key was used after its revocation, expiry or the end of its grace.',
    severities: ['high', 'critical'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'skew_ms',
        default: 60_000,
        unit: 'ms',
        description: 'Tolerance for senders whose clock can’t be checked against receipt',
      },
    ],
    runbook: [
      'Find what uses it: agent, host and repository of its sessions. A calendar job or a container that kept the old secret is the usual cause.',
      'Put the present secret in its place.',
      'Where calls still succeed, revoke the key at its provider as well: it works there.',
    ],
  },
  {
    id: 'R04',
    title: 'Grace ends, old secret still in use',
    condition: 'A secret that was rotated out is still used when little of its grace is left.',
    severities: ['medium'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'grace_left_percent',
        default: 25,
        unit: 'percent',
        description: 'Part of the grace that is left at most',
      },
      {
        name: 'assumed_grace_ms',
        default: 24 * 3_600_000,
        unit: 'ms',
        minimum: 60_000,
        description: 'Length of a grace whose beginning the registry does not tell',
      },
      {
        name: 'recent_ms',
        default: 15 * 60_000,
        unit: 'ms',
        description: 'Use that reached us later than this is no sign of present use',
      },
    ],
    runbook: [
      'Find what still uses the old secret: agent, host and repository of its latest sessions.',
      'Put the new secret in its place before the grace ends; extend the grace only if that can’t be done in time.',
    ],
    answeredByRevoking: true,
  },
  {
    id: 'R08',
    title: 'Outside the allowed networks',
    condition: 'The key was used from an address that is in none of its allowed networks.',
    severities: ['medium', 'high'],
    decidedBy: 'stream',
    parameters: [],
    runbook: [
      'Ask the owner whether that network is theirs; if it is, add it to the key’s allowed networks.',
      'If it is not, revoke the key: somebody else has it.',
    ],
  },
  {
    id: 'R09',
    title: 'Environment crossing',
    condition: 'A key of one environment was used in another.',
    severities: ['low', 'high'],
    decidedBy: 'stream',
    parameters: [],
    runbook: [
      'Find the configuration that carries the wrong key: repository and host of its sessions.',
      'Give that environment a key of its own, and rotate this one if it was copied.',
    ],
  },
  {
    id: 'R14',
    title: 'Script client on an agent-only key',
    condition: 'A key bound to named agents was used by a plain HTTP client.',
    severities: ['medium'],
    decidedBy: 'stream',
    parameters: [
      {
        name: 'script_clients',
        default:
          'curl,wget,python-requests,python-httpx,python-urllib,aiohttp,go-http-client,axios,node-fetch,undici,okhttp,postmanruntime',
        description: 'Names of agents that are plain HTTP clients, with commas between',
      },
    ],
    runbook: [
      'Ask the user of that session what the script does; a key of its own costs nothing.',
      'If nobody ran a script, the secret was copied out of the agent: rotate it.',
    ],
  },
  {
    id: 'R24',
    title: 'New key used by another',
    condition: 'Within an hour of its making, a personal key was used by somebody who is not its owner.',
    severities: ['medium'],
    decidedBy: 'stream',
    parameters: [{ name: 'new_ms', default: 3_600_000, unit: 'ms', description: 'How long a key is new' }],
    runbook: [
      'Ask the owner whether they made the key for that person; register it to whoever uses it.',
      'If they did not, revoke it and look at who made it in the audit trail.',
    ],
  },
] as const satisfies readonly RuleDescription[];
