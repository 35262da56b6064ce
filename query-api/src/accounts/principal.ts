import { isAtLeast, may } from '../../contract/index.ts';
import type { Permission, Role } from '../../contract/index.ts';

/** A person as sessions and tokens speak for. */
export interface PersonRecord {
  id: string;
  name: string;
  email: string;
  role: Role;
  setupPending: boolean;
  twoFactorEnabled: boolean;
}

/** Who asks: a person by a session, or by a personal API token. */
export interface Principal {
  via: 'session' | 'token';
  person: PersonRecord;
  /** The person’s, or less where a token’s scopes say so. */
  role: Role;
  /** End without further use; null for a token without an end. */
  expiresMs: number | null;
  /** The session, where there is one. */
  session: { id: string; totpProvedMs: number | null } | null;
}

/** What records of who did what call them. Before the first admin told an e-mail: operator. */
export function nameOf({ person }: Principal): string {
  return person.setupPending ? 'operator' : person.email;
}

export function principalMay(principal: Principal, permission: Permission): boolean {
  return may(principal.role, permission);
}

/** The lower of two roles. */
export function lowerRole(one: Role, other: Role): Role {
  return isAtLeast(one, other) ? other : one;
}
