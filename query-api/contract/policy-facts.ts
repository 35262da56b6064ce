/**
 * What is fixed about policies: their words, settings and first values. Pure, without Node imports and schemas, so that pages use it in
 * the browser.
 */

export const POLICY_IDS = [
  'auto_rotation',
  'expiry_alerts',
  'usage_monitoring',
  'suspicious_activity',
  'ip_locking',
  'maximum_lifetime',
  'mfa_for_execute',
  'proxy_refusal',
] as const;
export type PolicyId = (typeof POLICY_IDS)[number];

/** off: nothing. watch: what breaks it is shown and told. enforce: keys that break it are changed as well. */
export const POLICY_MODES = ['off', 'watch', 'enforce'] as const;
export type PolicyMode = (typeof POLICY_MODES)[number];

export type PolicySettings = Record<string, number | number[] | string | string[]>;

/** A setting as forms show it. Days may be parts of days, down to a minute. */
export interface PolicyField {
  name: string;
  label: string;
  kind: 'days' | 'day_list' | 'severity' | 'choices';
  /** Of `choices`: what may be chosen, and how it is said. */
  options?: Readonly<Record<string, string>>;
}

export interface PolicyFacts {
  title: string;
  does: string;
  /** What it covers, after “covers”. */
  covers: string;
  /** What enforcing does to a key, or to a request; '' where it only watches. */
  enforces: string;
  /** Whether it holds for requests as they come, so that there is nothing to apply to keys. */
  isOfRequests?: true;
  fields: readonly PolicyField[];
  defaults: PolicySettings;
}

/**
 * Policies. Thresholds: 30/14/7/1 days of warning are the registry's requirement; 90 days of rotation and of idleness are what the
 * registry's marks go by; 14 days let an owner on leave come back.
 */
export const POLICY_FACTS: Readonly<Record<PolicyId, PolicyFacts>> = {
  auto_rotation: {
    title: 'Auto-rotation',
    does: 'A key whose secret is old gets a new one, which its owner collects once.',
    covers: 'active keys of ours',
    enforces: 'a replacement waits for its owner; not collected by its last date, the key ends',
    fields: [
      { name: 'every_days', label: 'Rotate every', kind: 'days' },
      { name: 'grace_days', label: 'Old secret works after collection for', kind: 'days' },
      { name: 'collect_within_days', label: 'Last date after', kind: 'days' },
    ],
    defaults: { every_days: 90, grace_days: 7, collect_within_days: 30 },
  },
  expiry_alerts: {
    title: 'Expiry alerts',
    does: 'Warns before a key ends, once at each of these distances.',
    covers: 'active keys that have an end',
    enforces: '',
    fields: [{ name: 'days', label: 'Days before its end', kind: 'day_list' }],
    defaults: { days: [30, 14, 7, 1] },
  },
  usage_monitoring: {
    title: 'Usage monitoring',
    does: 'Tells of keys that nobody uses any more.',
    covers: 'active keys',
    enforces: '',
    fields: [{ name: 'idle_days', label: 'Unused for', kind: 'days' }],
    defaults: { idle_days: 90 },
  },
  suspicious_activity: {
    title: 'Suspicious-activity detection',
    does: 'Tells of keys that an open finding of this severity or above is about.',
    covers: 'active keys',
    enforces: '',
    fields: [{ name: 'min_severity', label: 'From severity', kind: 'severity' }],
    defaults: { min_severity: 'high' },
  },
  ip_locking: {
    title: 'IP locking',
    does: 'Binds a key to the networks that it is used from.',
    covers: 'active keys of ours',
    enforces: 'its allowed networks become the /24 (IPv4) and /64 (IPv6) networks that it was used from',
    fields: [{ name: 'observe_days', label: 'Networks seen within', kind: 'days' }],
    defaults: { observe_days: 30 },
  },
  maximum_lifetime: {
    title: 'Maximum lifetime',
    does: 'No key lives longer than this from its creation on.',
    covers: 'active keys',
    enforces: 'its end is brought forward, never nearer than the notice',
    fields: [
      { name: 'max_days', label: 'At most', kind: 'days' },
      { name: 'notice_days', label: 'Notice', kind: 'days' },
    ],
    defaults: { max_days: 365, notice_days: 14 },
  },
  mfa_for_execute: {
    title: 'MFA for execute',
    does: 'Only who has a second factor answers for keys that trigger or administer.',
    covers: 'active keys of ours with scope execute, admin or *',
    enforces: 'scopes execute, admin and * are taken away; admin and * leave read and write',
    fields: [],
    defaults: {},
  },
  proxy_refusal: {
    title: 'Requests through the proxy',
    does: 'The observing proxy notes requests by keys that may not be used so, or refuses them.',
    covers: 'requests of all keys that pass the proxy; listed are active keys whose requests break it',
    enforces: 'such a request gets 403, with the name of this policy, and does not reach the provider',
    isOfRequests: true,
    fields: [
      {
        name: 'refuse',
        label: 'Requests by a key that is',
        kind: 'choices',
        options: {
          unknown: 'not registered',
          revoked: 'revoked',
          expired: 'expired',
          network: 'used from outside its networks',
          environment: 'used in another environment than its own',
        },
      },
    ],
    defaults: { refuse: ['unknown', 'revoked', 'expired', 'network', 'environment'] },
  },
};

/** Whether it may be enforced. */
export const mayEnforce = (id: PolicyId): boolean => POLICY_FACTS[id].enforces !== '';
/** Whether enforcing it changes keys. */
export const changesKeys = (id: PolicyId): boolean => mayEnforce(id) && POLICY_FACTS[id].isOfRequests !== true;
