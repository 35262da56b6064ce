import type { AuditSubject, ChainHead, FieldChange } from '../../contract/index.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import { sealed } from './chain.ts';

/** An act, to be noted. */
export interface AuditEntry {
  at: Date;
  /** Who did it: {@link actorOf} of the request; `policy:<id>` or `job:<id>` for what no person did. */
  actor: string;
  /** Dotted or plain lower-case words in the past tense or the name of the act: `policy.enabled`, `finding.resolve`. */
  action: string;
  subject: { kind: AuditSubject; id: string };
  /** The credential that it concerns, where that is not the subject itself: it shows in the key's own log, too. */
  credentialId?: string;
  /** A sentence or value for people. Never a secret. */
  detail?: string;
  /** What was before and after, field by field. Never a secret. */
  changes?: readonly FieldChange[];
}

/**
 * Appends to the audit trail: who did what to which key or setting. Every change of a key, account, policy, rule, job, channel or setting
 * calls it **inside the transaction of the change itself**, so that either both are there or none. Appends wait for each other until
 * their transaction ends: call it last, and keep the transaction short.
 * @returns where the trail ends now
 */
export async function appendAudit(transaction: RegistryTransaction, entry: AuditEntry): Promise<ChainHead> {
  const { at, actor, action, subject, detail = '', changes = [] } = entry;
  const { seq, hash } = await transaction
    .selectFrom('audit_head')
    .select(['seq', 'hash'])
    .forUpdate()
    .executeTakeFirstOrThrow();
  const credentialId = entry.credentialId ?? (subject.kind === 'credential' ? subject.id : '');
  const content = { at: at.toISOString(), actor, action, subject, credential_id: credentialId, detail };
  const row = sealed({ ...content, changes: [...changes] }, { seq: Number(seq), hash });
  await transaction.insertInto('audit_trail').values(row).execute();
  const head = { seq: row.seq, hash: row.hash };
  await transaction.updateTable('audit_head').set(head).execute();
  return head;
}
