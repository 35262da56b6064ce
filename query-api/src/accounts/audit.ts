import type { FieldChange } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import type { RegistryDatabase } from '../registry/database.ts';

/** What happens to accounts, as the trail names it. */
export type AccountAction =
  | 'account.signed_in'
  | 'account.set_up'
  | 'account.renamed'
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

/**
 * Writes into the audit trail who did what to an account.
 * @param event.email whose account it is; the actor's own by default
 * @param event.detail for people; never a secret
 */
export async function recordAccountEvent(
  db: RegistryDatabase,
  event: {
    actor: string;
    action: AccountAction;
    email?: string;
    detail?: string;
    changes?: FieldChange[];
    nowMs: number;
  },
): Promise<void> {
  const { actor, action, email = actor, detail = '', changes = [], nowMs } = event;
  await db.transaction().execute((transaction) =>
    appendAudit(transaction, {
      ...{ at: new Date(nowMs), actor, action, subject: { kind: 'person', id: email } },
      ...{ detail, changes },
    }),
  );
}
