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
export const appendAudit = (transaction: RegistryTransaction, entry: AuditEntry): Promise<ChainHead> =>
  appendAuditAll(transaction, [entry]);

/** Appends several acts of one transaction, in their order: as many statements as for one. */
export async function appendAuditAll(
  transaction: RegistryTransaction,
  entries: readonly AuditEntry[],
): Promise<ChainHead> {
  const { seq, hash } = await transaction
    .selectFrom('audit_head')
    .select(['seq', 'hash'])
    .forUpdate()
    .executeTakeFirstOrThrow();
  let head: ChainHead = { seq: Number(seq), hash };
  if (entries.length === 0) return head;
  const rows = entries.map((entry) => {
    const { at, actor, action, subject, detail = '', changes = [] } = entry;
    const credentialId = entry.credentialId ?? (subject.kind === 'credential' ? subject.id : '');
    const content = { at: at.toISOString(), actor, action, subject, credential_id: credentialId, detail };
    const row = sealed({ ...content, changes: [...changes] }, head);
    head = { seq: row.seq, hash: row.hash };
    return row;
  });
  await transaction.insertInto('audit_trail').values(rows).execute();
  await transaction.updateTable('audit_head').set(head).execute();
  return head;
}
