/** Roles and what each may do. Pure, without schemas, so that pages ask it in the browser. */

/** What a person may do, each role all that those before it may. */
export const ROLES = ['viewer', 'analyst', 'responder', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What can be done, and the least role that may. Routes name one of these, and pages show a button only to whoever may press it:
 * both read this table.
 */
export const PERMISSIONS = {
  /** Overview, lanes, ledger, findings, registry. */
  read: 'viewer',
  /** One’s own account: profile, password, second factor, passkeys, sessions, tokens. */
  own_account: 'viewer',
  /** Ad-hoc SQL and exports. */
  query: 'analyst',
  /** The audit trail, and whether it holds. */
  'audit.read': 'analyst',
  'findings.comment': 'analyst',
  'findings.triage': 'responder',
  /** Where findings are told to people. */
  'channels.manage': 'admin',
  /** Register a provider’s key, issue, edit, rotate and regenerate one of ours. Scopes `execute` and `admin` need a TOTP proof as well. */
  'credentials.write': 'responder',
  'credentials.revoke': 'responder',
  /** Collect the new secret of a key that one answers for. */
  'credentials.collect': 'viewer',
  /** Projects, teams and service accounts. */
  'organisation.manage': 'admin',
  /** Set detection rules and try parameters out. */
  'rules.manage': 'analyst',
  /** Look at dead letters, and put them on the bus again. */
  'dead_letters.replay': 'responder',
  /** Set policies and apply them. */
  'policies.manage': 'admin',
  /** Run jobs by hand. */
  'jobs.run': 'admin',
  /** Invite people, give roles, disable accounts. */
  'people.manage': 'admin',
} as const satisfies Record<string, Role>;
export type Permission = keyof typeof PERMISSIONS;

/** Whether a role is at least another. */
export function isAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Whether somebody of this role may do it. */
export function may(role: Role, permission: Permission): boolean {
  return isAtLeast(role, PERMISSIONS[permission]);
}
