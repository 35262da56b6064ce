import { expect, test } from 'vitest';
import type { UsageEventInput } from '@lanewatch/ingest/contract';
import { credentialCreateSchema, VERIFY_CODES, VERIFY_SCOPE } from '../../contract/index.ts';
import type { VerifyCode } from '../../contract/index.ts';
import { draftCredential } from '../registry/draft.ts';
import { snapshotOf } from '../registry/view.ts';
import { createVerifier } from './verifier.ts';

const NOW = Date.UTC(2026, 10, 21);
const ASKED = { action: 'write', resource: 'runs', ip: '10.1.2.3', environment: 'production' } as const;

function issue(parts: object = {}) {
  const wanted = {
    ...{ kind: 'managed', name: 'pipeline', environment: 'production', expires_at: '2027-01-01T00:00:00Z' },
    ...{ scopes: [{ action: 'write', resource: 'runs' }], allowed_cidrs: ['10.0.0.0/8'] },
  };
  const draft = draftCredential(credentialCreateSchema.parse({ ...wanted, ...parts }), 'test', NOW);
  return { row: draft.row, secret: draft.secret! };
}

test('each code is answered for its cause, and its use becomes an event of that outcome', () => {
  const clock = { nowMs: NOW };
  const good = issue();
  const spent = issue({ name: 'spent', budget: { amount_usd: '5', period: 'day' } });
  const limited = issue({ name: 'limited', rate_limit_per_minute: 1 });
  const revoked = issue({ name: 'revoked' });
  revoked.row.revoked_at = new Date(NOW);
  const told: UsageEventInput[] = [];
  const registry = snapshotOf(1, [good.row, spent.row, limited.row, revoked.row]);
  const verifier = createVerifier({
    registry: { held: () => registry, current: async () => registry },
    budgets: {
      isUsedUp: ({ id }) => id === spent.row.id,
      usedNano: () => 0n,
      look: async () => undefined,
      close: () => undefined,
    },
    events: { add: (event: UsageEventInput) => void told.push(event) } as never,
    now: () => clock.nowMs,
    onFault: (error) => expect.fail(String(error)),
  });
  const codes: [VerifyCode, string][] = [];
  function asked(secret: string, parts: object = {}): void {
    const { code, valid, detail } = verifier.verify({ key: secret, ...ASKED, ...parts });
    expect([valid, detail]).toEqual([code === 'VALID', expect.not.stringContaining(secret)]);
    codes.push([code, `${told.at(-1)!.outcome} ${told.at(-1)!.status_code}`]);
  }
  asked(good.secret);
  asked('lw_prod_of_nobody');
  asked(revoked.secret);
  asked(good.secret, { environment: 'sandbox' });
  asked(good.secret, { ip: '11.0.0.1' });
  asked(good.secret, { action: 'read' });
  asked(spent.secret);
  asked(limited.secret);
  asked(limited.secret);
  clock.nowMs = Date.UTC(2027, 0, 1);
  asked(good.secret);
  verifier.close();
  expect(codes).toEqual([
    ['VALID', 'success 200'],
    ['NOT_FOUND', 'denied 401'],
    ['REVOKED', 'denied 401'],
    ['FORBIDDEN_ENVIRONMENT', 'denied 403'],
    ['FORBIDDEN_IP', 'denied 403'],
    ['FORBIDDEN_SCOPE', 'denied 403'],
    ['BUDGET_EXCEEDED', 'denied 403'],
    ['VALID', 'success 200'],
    ['RATE_LIMITED', 'rate_limited 429'],
    ['EXPIRED', 'denied 401'],
  ]);
  expect(new Set(codes.map(([code]) => code))).toEqual(new Set(VERIFY_CODES));
});

test('a key that asks is noted as used, once a minute for each address', () => {
  const asker = issue({ scopes: [VERIFY_SCOPE] });
  const clock = { nowMs: NOW };
  const told: UsageEventInput[] = [];
  const registry = snapshotOf(1, [asker.row]);
  const verifier = createVerifier({
    registry: { held: () => registry, current: async () => registry },
    budgets: { isUsedUp: () => false, usedNano: () => 0n, look: async () => undefined, close: () => undefined },
    events: { add: (event: UsageEventInput) => void told.push(event) } as never,
    now: () => clock.nowMs,
    onFault: (error) => expect.fail(String(error)),
  });
  for (const address of ['10.0.0.1', '10.0.0.1', '10.0.0.2', '11.0.0.1']) verifier.caller(asker.secret, address);
  clock.nowMs += 60_000;
  verifier.caller(asker.secret, '10.0.0.1');
  verifier.close();
  expect(told.map(({ ip }) => ip)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.1']);
  expect(told[0]).toMatchObject({
    credential: { fingerprint: asker.row.fingerprint },
    operation: 'read query-api/credentials/verify',
    outcome: 'success',
  });
});
