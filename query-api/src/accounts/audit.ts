import type { FieldChange } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import type { RegistryDatabase, RegistryTransaction } from '../registry/database.ts';

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

interface AccountEvent {
  actor: string;
  action: AccountAction;
  email?: string;
  detail?: string;
  changes?: FieldChange[];
  nowMs: number;
}

/**
 * Writes into the audit trail who did what to an account. In a request about accounts it goes with the change itself (`http/one-act.ts`).
 * @param event.email whose account it is; the actor's own by default
 * @param event.detail for people; never a secret
 */
export async function recordAccountEvent(db: RegistryDatabase, event: AccountEvent): Promise<void> {
  await db.transaction().execute((transaction) => appendAccountEvent(transaction, event));
}

/** The same within a transaction of the change itself. */
export async function appendAccountEvent(transaction: RegistryTransaction, event: AccountEvent): Promise<void> {
  const { actor, action, email = actor, detail = '', changes = [], nowMs } = event;
  await appendAudit(transaction, {
    ...{ at: new Date(nowMs), actor, action, subject: { kind: 'person', id: email } },
    ...{ detail, changes },
  });
}
