import type { RegistryDatabase } from '../registry/database.ts';

/** What happens to accounts, as the trail names it. */
export type AccountAction =
  | 'account.signed_in'
  | 'account.set_up'
  | 'account.password_changed'
  | 'account.totp_added'
  | 'account.totp_removed'
  | 'account.recovery_codes_renewed'
  | 'account.passkey_added'
  | 'account.passkey_removed'
  | 'account.session_revoked'
  | 'account.token_issued'
  | 'account.token_revoked'
  | 'person.invited'
  | 'person.link_made'
  | 'person.joined'
  | 'person.role_changed'
  | 'person.disabled'
  | 'person.enabled';

/** Writes into the trail who did what to an account. `detail` names people by e-mail, and never holds a secret. */
export async function recordAccountEvent(
  db: RegistryDatabase,
  event: { actor: string; action: AccountAction; detail?: string; nowMs: number },
): Promise<void> {
  const { actor, action, detail = '', nowMs } = event;
  await db
    .insertInto('registry_events')
    .values({ at: new Date(nowMs), actor, action, credential_id: '', detail })
    .execute();
}
