import type { FastifyBaseLogger } from 'fastify';
import { laneOf, periodStartMs } from '@lanewatch/ingest/contract';
import type { CredentialDetail, CredentialItem } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { dollarsOf } from '../ledger/money.ts';
import { marksOf, ownersOfTooManyOldKeys } from '../registry/marks.ts';
import { budgetOf, itemOf } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import { secretItemOf } from '../registry/secrets.ts';
import type { SecretRow } from '../registry/secrets.ts';
import { readSpend, totalOf } from '../registry/spend.ts';
import type { Services } from '../services/services.ts';

/** How long an answer waits for the bus to confirm; the change is committed either way and follows later. */
export const PUBLISH_WAIT_MS = 5_000;

/** What routes about credentials answer with. */
export interface CredentialAnswers {
  /** The credential and its secrets as they are now. Throws `not_found`. */
  find(id: string): Promise<{ row: CredentialRow; secrets: readonly SecretRow[] }>;
  itemNow(row: CredentialRow): Promise<CredentialItem>;
  detailNow(row: CredentialRow, secrets: readonly SecretRow[], log: FastifyBaseLogger): Promise<CredentialDetail>;
  /** Whether the bus has a change. The answer tells that the key's next event meets it, so it waits for that. */
  published(outboxId: number): Promise<boolean>;
}

export function credentialAnswers(services: Services): CredentialAnswers {
  const { store, registry, publisher, lastUses, changes, verifier, now } = services;

  async function itemNow(row: CredentialRow): Promise<CredentialItem> {
    const { all } = await registry.current();
    await lastUses.fresh();
    const lastUse = lastUses.of(row.id);
    const marks = marksOf(row, { lastUse, nowMs: now(), tooManyOldOf: ownersOfTooManyOldKeys(all, now()) });
    return itemOf(row, { lastUse, marks, nowMs: now() });
  }

  return {
    itemNow,
    async find(id) {
      const { byId, secretsById } = await registry.current();
      const row = byId.get(id);
      if (row === undefined) throw new ProblemError('not_found', 'No credential has this id.');
      return { row, secrets: secretsById.get(id) ?? [] };
    },
    async detailNow(row, secrets, log) {
      // Lanes by hint alone may be another key's; those of a key that is known by its hint are its own.
      const lanes = secrets.map(({ fingerprint, hint }) => laneOf(fingerprint, hint, row.org));
      const budget = budgetOf(row);
      const fromMs = budget === null ? null : periodStartMs(budget.period, now());
      const read = (sinceMs: number) => readSpend(store, lanes, sinceMs).then(totalOf);
      const spend = await Promise.all([read(0), fromMs === null ? null : read(fromMs)]).catch((error: unknown) => {
        log.warn({ err: error }, 'spend of a credential not read');
        return null;
      });
      return {
        ...(await itemNow(row)),
        secrets: secrets.map((secret) => secretItemOf(row, secret, now())),
        spend: spend && {
          total_usd: dollarsOf(spend[0].nanoUsd),
          requests: spend[0].requests,
          period_usd: spend[1] && dollarsOf(spend[1].nanoUsd),
          period_from: fromMs === null ? null : new Date(fromMs).toISOString(),
        },
      };
    },
    async published(outboxId) {
      // Verify answers from memory: what was just changed here must hold there before anybody hears that it is.
      await verifier.refresh();
      const sent = await publisher.published(outboxId, PUBLISH_WAIT_MS);
      changes.poke();
      return sent;
    },
  };
}
