import { isIP } from 'node:net';
import type { Me } from '../../contract/index.ts';
import type { Config } from '../config.ts';
import { stepUpEndMs } from '../http/session-auth.ts';
import { instantOf } from '../ledger/window.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { Principal } from './principal.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether only this machine reaches the dashboard, so that a first admin may tell who they are later. */
function isOnLoopback(dashboardUrl: string): boolean {
  return LOOPBACK.has(new URL(dashboardUrl).hostname);
}

/** Whether browsers take passkeys there: they belong to a name, not to an address. */
export function takesPasskeys(dashboardUrl: string): boolean {
  return isIP(new URL(dashboardUrl).hostname.replace(/^\[|\]$/g, '')) === 0;
}

/** Whoever asks, as they see themselves. */
export async function meOf(db: RegistryDatabase, config: Config, principal: Principal, nowMs: number): Promise<Me> {
  const { person, role, via, expiresMs } = principal;
  const stepUpMs = stepUpEndMs(principal, nowMs);
  return {
    id: person.id,
    name: person.name,
    email: person.setupPending ? '' : person.email,
    role,
    via,
    session_expires_at: expiresMs === null ? null : instantOf(expiresMs),
    setup: !person.setupPending ? 'done' : isOnLoopback(config.dashboardUrl) ? 'optional' : 'required',
    has_password: await hasPassword(db, person.id),
    totp_enabled: person.twoFactorEnabled,
    stepped_up_until: stepUpMs === null ? null : instantOf(stepUpMs),
  };
}

export async function hasPassword(db: RegistryDatabase, userId: string): Promise<boolean> {
  const account = await db
    .selectFrom('user_accounts')
    .select('id')
    .where('user_id', '=', userId)
    .where('provider_id', '=', 'credential')
    .executeTakeFirst();
  return account !== undefined;
}
