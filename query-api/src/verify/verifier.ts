import { fingerprintOf, hintOf, providerOfKey } from '@lanewatch/ingest/contract';
import type { z } from 'zod';
import type { Verified, VerifyCode, verifySchema } from '../../contract/index.ts';
import { VERIFY_SCOPE } from '../../contract/index.ts';
import { VERIFY_SOURCE } from '../registry/callers.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { RegistryView } from '../registry/view.ts';
import type { Budgets } from './budgets.ts';
import { decide, detailOf, lifeCodeOf } from './decide.ts';
import type { VerifyEvents } from './events.ts';
import { createRates } from './rate.ts';

/** How often another process's changes are looked for; this one's hold at once. */
const LOOK_MS = 1_000;

/** A key that asks is noted as used so often for each address that it asks from. */
const NOTED_EVERY_MS = 60_000;

const OUTCOME_OF = {
  VALID: { outcome: 'success', status_code: 200 },
  NOT_FOUND: { outcome: 'denied', status_code: 401 },
  REVOKED: { outcome: 'denied', status_code: 401 },
  EXPIRED: { outcome: 'denied', status_code: 401 },
  FORBIDDEN_ENVIRONMENT: { outcome: 'denied', status_code: 403 },
  FORBIDDEN_IP: { outcome: 'denied', status_code: 403 },
  FORBIDDEN_SCOPE: { outcome: 'denied', status_code: 403 },
  BUDGET_EXCEEDED: { outcome: 'denied', status_code: 403 },
  RATE_LIMITED: { outcome: 'rate_limited', status_code: 429 },
} as const satisfies Record<VerifyCode, object>;

/** Answers what keys may do, from memory. */
export interface Verifier {
  /** Waits until the registry is in memory; later it returns at once. Throws when it can't be read. */
  ready(): Promise<void>;
  /** Brings memory to the registry as it is now. */
  refresh(): Promise<void>;
  verify(request: z.output<typeof verifySchema>): Verified;
  /** The managed key behind a bearer that may ask; why not otherwise. */
  caller(key: string, address: string): { ok: true; row: CredentialRow } | { ok: false; isKnown: boolean };
  close(): void;
}

export function createVerifier(parts: {
  registry: RegistryView;
  budgets: Budgets;
  events: VerifyEvents;
  now: () => number;
  onFault: (error: unknown) => void;
}): Verifier {
  const { registry, budgets, events, now, onFault } = parts;
  const rates = createRates(now);
  let asking = { sinceMs: -Infinity, seen: new Set<string>() };

  /** The key that asks is in use as well: it has a last use, and whoever wants to end it sees who would be hit. */
  function noteCaller(row: CredentialRow, fingerprint: string, address: string): void {
    const nowMs = now();
    if (nowMs - asking.sinceMs >= NOTED_EVERY_MS) asking = { sinceMs: nowMs, seen: new Set() };
    const caller = `${fingerprint} ${address}`;
    if (asking.seen.has(caller)) return;
    asking.seen.add(caller);
    const { hint, provider, org, module } = row;
    events.add({
      source: VERIFY_SOURCE,
      credential: { fingerprint, hint, provider, kind: 'api_key' },
      ...{ org, module, ip: address, action: 'access' },
      operation: `${VERIFY_SCOPE.action} ${VERIFY_SCOPE.resource}`,
      ...OUTCOME_OF.VALID,
    });
  }

  const refresh = async (): Promise<void> => void (await registry.current());
  // A registry that does not answer leaves what was known: verify goes on from memory.
  const timer = setInterval(() => void refresh().catch(onFault), LOOK_MS);
  timer.unref();

  function codeOf(row: CredentialRow, request: z.output<typeof verifySchema>, nowMs: number): VerifyCode {
    const code = decide(row, request, nowMs);
    if (code !== 'VALID') return code;
    if (budgets.isUsedUp(row, nowMs)) return 'BUDGET_EXCEEDED';
    const limit = row.rate_limit_per_minute;
    return limit === null || rates.take(row.id, limit) ? 'VALID' : 'RATE_LIMITED';
  }

  return {
    async ready() {
      if (registry.held().version < 0) await refresh();
    },
    refresh,
    verify(request) {
      const nowMs = now();
      const fingerprint = fingerprintOf(request.key);
      const row = registry.held().byFingerprint.get(fingerprint) ?? null;
      const code = row === null ? 'NOT_FOUND' : codeOf(row, request, nowMs);
      events.add({
        source: VERIFY_SOURCE,
        credential: {
          fingerprint,
          hint: row?.hint ?? hintOf(request.key),
          provider: row?.provider ?? providerOfKey(request.key),
          kind: 'api_key',
        },
        org: row?.org ?? '',
        ip: request.ip ?? '',
        agent: { name: request.agent ?? '' },
        module: row?.module ?? '',
        environment: request.environment ?? '',
        action: 'access',
        operation: `${request.action} ${request.resource}`,
        ...OUTCOME_OF[code],
      });
      return {
        valid: code === 'VALID',
        code,
        detail: detailOf(code, row, request.ip !== undefined),
        credential: row === null ? null : publicFactsOf(row, nowMs),
      };
    },
    caller(key, address) {
      const fingerprint = fingerprintOf(key);
      const row = registry.held().byFingerprint.get(fingerprint);
      if (row?.kind !== 'managed' || lifeCodeOf(row, now()) !== 'VALID') return { ok: false, isKnown: false };
      const isAllowed = decide(row, { ...VERIFY_SCOPE, ip: address }, now()) === 'VALID';
      if (!isAllowed) return { ok: false, isKnown: true };
      noteCaller(row, fingerprint, address);
      return { ok: true, row };
    },
    close: () => clearInterval(timer),
  };
}

function publicFactsOf(row: CredentialRow, nowMs: number): Verified['credential'] {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    kind: row.kind,
    module: row.module,
    environment: row.environment,
    project: row.project,
    owner: row.owner,
    owner_kind: row.owner_kind,
    team: row.team,
    status: statusAt(row, nowMs),
    scopes: row.scopes,
    expires_at: row.expires_at?.toISOString() ?? null,
    grace_ends_at: row.grace_ends_at?.toISOString() ?? null,
  };
}
