import fc from 'fast-check';
import { ACTIONS, COST_BASES, CREDENTIAL_KINDS, OUTCOMES } from '../../contract/index.ts';

/** Texts as senders write them and as attackers do: any UTF-16 units, control characters, long ones. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.string({ minLength: 100, maxLength: 900 }),
);

const identity = fc.oneof(
  fc.uuid(),
  anyText.filter((text) => text.length > 0 && text.length <= 512),
);
const time = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const tokens = fc.maxSafeNat();
const hex64 = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });

const optional = {
  credential: fc.record(
    { fingerprint: hex64, hint: anyText, provider: anyText, kind: fc.constantFrom(...CREDENTIAL_KINDS) },
    { requiredKeys: [] },
  ),
  org: anyText,
  user: anyText,
  ip: fc.oneof(fc.ipV4(), fc.ipV6(), anyText),
  host: anyText,
  agent: fc.record({ name: anyText, version: anyText }, { requiredKeys: [] }),
  session: anyText,
  request_id: anyText,
  repo: fc.oneof(fc.webUrl(), anyText),
  branch: anyText,
  provider: anyText,
  model: fc.oneof(fc.constantFrom('claude-sonnet-4-5', 'gpt-4o'), anyText),
  module: anyText,
  environment: anyText,
  action: fc.constantFrom(...ACTIONS),
  operation: anyText,
  outcome: fc.constantFrom(...OUTCOMES),
  status_code: fc.integer({ min: 0, max: 999 }),
  tokens: fc.record(
    { input_uncached: tokens, cache_read: tokens, cache_write: tokens, output: tokens },
    { requiredKeys: [] },
  ),
  cost_usd: fc.oneof(
    fc.double({ min: 0, max: 9_000_000, noNaN: true }),
    fc
      .tuple(fc.nat(8_999_999), fc.nat(999_999_999))
      .map(([whole, nano]) => `${whole}.${String(nano).padStart(9, '0')}`),
  ),
  cost_basis: fc.constantFrom(...COST_BASES),
  latency_ms: fc.double({ min: 0, max: 86_400_000, noNaN: true }),
};

/** Events that the contract's schema accepts. */
export const eventInput = fc.record(
  { source: identity, id: identity, time, ...optional },
  { requiredKeys: ['source', 'id', 'time'] },
);

/** Events in which any field may hold anything, and values that are no events at all. */
export const anyInput = fc.oneof(
  eventInput,
  fc
    .tuple(eventInput, fc.constantFrom('source', 'id', 'time', ...Object.keys(optional)), fc.jsonValue())
    .map(([event, field, value]) => ({ ...event, [field]: value })),
  fc
    .tuple(
      eventInput,
      fc.constantFrom('credential', 'agent', 'tokens'),
      fc.dictionary(
        fc.constantFrom('fingerprint', 'hint', 'kind', 'name', 'version', 'output', 'cache_read', '__proto__'),
        fc.jsonValue(),
      ),
    )
    .map(([event, field, value]) => ({ ...event, [field]: value })),
  fc.jsonValue(),
  fc.anything(),
);
