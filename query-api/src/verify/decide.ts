import { compileCidrs, compileScopes, expiredFromMs, revokedFromMs } from '@lanewatch/ingest/contract';
import type { AskedAction } from '@lanewatch/ingest/contract';
import type { VerifyCode } from '../../contract/index.ts';
import type { CredentialRow } from '../registry/record.ts';

/** What verify is asked about a key that was found. */
export interface Asked {
  action: AskedAction;
  resource: string;
  ip?: string | undefined;
  environment?: string | undefined;
}

interface Compiled {
  allowsAddress: (address: string) => boolean;
  allowsAnyAddress: boolean;
  allowsScope: ReturnType<typeof compileScopes>;
  revokedFromMs: number;
  expiredFromMs: number;
}

const compiled = new WeakMap<CredentialRow, Compiled>();

/** What is asked of a credential again and again, made once for each version of it. */
function compile(row: CredentialRow): Compiled {
  let made = compiled.get(row);
  if (made === undefined) {
    made = {
      allowsAddress: compileCidrs(row.allowed_cidrs),
      allowsAnyAddress: row.allowed_cidrs.length === 0,
      allowsScope: compileScopes(row.scopes),
      revokedFromMs: revokedFromMs(row),
      expiredFromMs: expiredFromMs(row),
    };
    compiled.set(row, made);
  }
  return made;
}

/** Whether a credential, as a secret of it shows it, may be used at all. */
export function lifeCodeOf(row: CredentialRow, nowMs: number): 'VALID' | 'REVOKED' | 'EXPIRED' {
  const made = compile(row);
  if (nowMs >= made.revokedFromMs) return 'REVOKED';
  return nowMs >= made.expiredFromMs ? 'EXPIRED' : 'VALID';
}

/**
 * Whether a credential may do what is asked, budget and rate apart. Without an address a key that is bound to networks is refused, even
 * where both of its networks are everything: nobody knows what was not said. Pure but for what it keeps compiled.
 */
export function decide(row: CredentialRow, asked: Asked, nowMs: number): VerifyCode {
  const life = lifeCodeOf(row, nowMs);
  if (life !== 'VALID') return life;
  const made = compile(row);
  if (row.environment !== '' && asked.environment !== undefined && asked.environment !== row.environment) {
    return 'FORBIDDEN_ENVIRONMENT';
  }
  if (!made.allowsAnyAddress && (asked.ip === undefined || !made.allowsAddress(asked.ip))) return 'FORBIDDEN_IP';
  return made.allowsScope(asked.action, asked.resource) ? 'VALID' : 'FORBIDDEN_SCOPE';
}

/** One sentence about an answer, for the log of whoever asked. It never repeats what was sent. */
export function detailOf(code: VerifyCode, row: CredentialRow | null, hasAddress: boolean): string {
  switch (code) {
    case 'VALID':
      return 'The key may do this.';
    case 'NOT_FOUND':
      return 'This key is not in the registry.';
    case 'REVOKED':
      return 'The key was revoked, or this secret of it was rotated out and its grace is over.';
    case 'EXPIRED':
      return `The key expired at ${row?.expires_at?.toISOString() ?? ''}.`;
    case 'FORBIDDEN_ENVIRONMENT':
      return `The key is for ${row?.environment ?? ''} only.`;
    case 'FORBIDDEN_IP':
      return hasAddress
        ? 'The address is in none of the key’s allowed networks; IPv4 and IPv6 are matched apart.'
        : 'The key is bound to networks, so say from which address it is used (ip).';
    case 'FORBIDDEN_SCOPE':
      return 'None of the key’s scopes allows this action on this resource.';
    case 'BUDGET_EXCEEDED':
      return `The key’s budget of $${row?.budget_usd ?? ''} for the ${row?.budget_period ?? ''} is used up.`;
    case 'RATE_LIMITED':
      return `The key may be used ${row?.rate_limit_per_minute ?? 0} times a minute. Wait a moment.`;
  }
}
