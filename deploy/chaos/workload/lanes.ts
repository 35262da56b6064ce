import {
  credentialRecordSchema,
  fingerprintOf,
  hintOf,
  laneOf,
  type CredentialRecord,
} from '@lanewatch/ingest/contract';
import type { Match, Standing } from '@lanewatch/detector/contract';
import type { Random } from '../../measuring/random.ts';

/** What the registry must say of an event at a time: written down here, not computed by the code under test. */
interface ExpectedStanding {
  standing: Standing;
  match: Match;
  credential_id: string;
}

/** One key as its users show it, and what must come of it. */
export interface LaneSpec {
  /** How events of it name the key. */
  credential: { fingerprint?: string; hint?: string };
  org: string;
  lane: string;
  people: readonly string[];
  repos: readonly string[];
  /** How old its events are, milliseconds before the start of the run: from, to. All lanes stay within a few hours. */
  ageMs: readonly [number, number];
  costNanoUsdMax: number;
  expected(timeMs: number): ExpectedStanding;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PEOPLE = ['ana', 'ben', 'cleo', 'dan', 'eve', 'finn'].map((name) => `${name}@acme.example`);
const REPOS = ['acme/api', 'acme/web', 'acme/tools'];
const CENT_NANO_USD = 10_000_000;

/** A collector's key as managed credential. */
export interface CollectorKey {
  secret: string;
  record: CredentialRecord;
}

export interface Registry {
  collector: CollectorKey;
  records: CredentialRecord[];
  /** Lanes that are there from the start; more unknown ones come up during the run. */
  lanes: LaneSpec[];
}

/**
 * The keys of one run: known ones, personal and shared, some that end within the time the events cover, hints that match one
 * or several registered keys, keys that nobody registered, and events that name none.
 * @param startMs epoch milliseconds; every event is older
 */
export function createRegistry(random: Random, startMs: number): Registry {
  const records: CredentialRecord[] = [];
  const lanes: LaneSpec[] = [];
  const halfwayMs = startMs - 90 * MINUTE;
  const iso = (ms: number) => new Date(ms).toISOString();

  function register(name: string, fields: Partial<CredentialRecord>): { record: CredentialRecord; secret: string } {
    const secret = secretOf(random);
    const record = credentialRecord({
      id: `cred_${name}`,
      name,
      fingerprint: fingerprintOf(secret),
      hint: hintOf(secret),
      created_at: iso(startMs - 24 * HOUR),
      ...fields,
    });
    records.push(record);
    return { record, secret };
  }

  function known(name: string, people: readonly string[], fields: Partial<CredentialRecord> = {}): void {
    const { record } = register(name, fields);
    const endsMs = Date.parse(record.revoked_at ?? record.expires_at ?? '9999-01-01T00:00:00Z');
    const ended: Standing = record.revoked_at === null ? 'expired' : 'revoked';
    lanes.push({
      ...defaults(random, people),
      credential: { fingerprint: record.fingerprint, hint: record.hint },
      lane: record.fingerprint,
      expected: (timeMs) => ({
        standing: timeMs >= endsMs ? ended : 'known',
        match: 'proven',
        credential_id: record.id,
      }),
    });
  }

  for (let index = 0; index < 6; index++) known(`personal-${index}`, [PEOPLE[index % PEOPLE.length]!]);
  known('shared-personal', PEOPLE.slice(0, 3));
  known('team', PEOPLE.slice(0, 4), { sharing: 'team', people_declared: 2 });
  for (let index = 0; index < 2; index++)
    known(`revoked-${index}`, PEOPLE.slice(0, 2), { status: 'revoked', revoked_at: iso(halfwayMs) });
  known('expired', PEOPLE.slice(2, 3), { expires_at: iso(halfwayMs) });

  // One hint, two registered keys: which one it was can't be told.
  const twins = register('twin-0', { org: 'acme' });
  register('twin-1', { org: 'acme', hint: twins.record.hint });
  lanes.push(hintLane(random, twins.record.hint, { standing: 'ambiguous', match: 'ambiguous', credential_id: '' }));

  // Registered by hint and organisation alone, and the only one.
  const byHint = register('by-hint', { org: 'acme', fingerprint: '' });
  lanes.push(
    hintLane(random, byHint.record.hint, { standing: 'known', match: 'probable', credential_id: byHint.record.id }),
  );
  lanes.push(hintLane(random, hintOf(secretOf(random)), UNKNOWN));

  for (let index = 0; index < 8; index++) lanes.push(unknownLane(random));
  lanes.push({
    ...defaults(random, PEOPLE),
    credential: {},
    lane: 'unattributed',
    expected: () => ({ standing: 'unattributed', match: 'none', credential_id: '' }),
  });

  const secret = `lw_dev_${secretOf(random).slice(-40)}`;
  const collector = credentialRecord({
    id: 'cred_collector',
    name: 'chaos collector',
    kind: 'managed',
    fingerprint: fingerprintOf(secret),
    hint: hintOf(secret),
    scopes: [{ action: 'write', resource: 'usage-events' }],
    created_at: iso(startMs - 24 * HOUR),
  });
  records.push(collector);
  return { collector: { secret, record: collector }, records, lanes };
}

const UNKNOWN: ExpectedStanding = { standing: 'unknown', match: 'none', credential_id: '' };

/** A key that nobody registered. */
export function unknownLane(random: Random): LaneSpec {
  const secret = secretOf(random);
  const fingerprint = fingerprintOf(secret);
  return {
    ...defaults(random, random.chance(0.5) ? PEOPLE.slice(0, random.integer(1, 4)) : []),
    credential: { fingerprint, hint: hintOf(secret) },
    lane: fingerprint,
    expected: () => UNKNOWN,
  };
}

/** An event of no key, kept in one partition by its session: what the run uses to see how far the ledger is. */
export function markerLane(): LaneSpec {
  return {
    credential: {},
    org: 'acme',
    lane: 'unattributed',
    people: [],
    repos: [],
    ageMs: [0, 0],
    costNanoUsdMax: 0,
    expected: () => ({ standing: 'unattributed', match: 'none', credential_id: '' }),
  };
}

function hintLane(random: Random, hint: string, expected: ExpectedStanding): LaneSpec {
  return {
    ...defaults(random, PEOPLE.slice(0, 2)),
    credential: { hint },
    lane: laneOf('', hint, 'acme'),
    expected: () => expected,
  };
}

/** Half of the lanes were last used hours ago, so that severities differ and depend on every event having been counted. */
function defaults(random: Random, people: readonly string[]): Omit<LaneSpec, 'credential' | 'lane' | 'expected'> {
  return {
    org: 'acme',
    people,
    repos: REPOS.slice(0, random.integer(0, REPOS.length)),
    ageMs: random.chance(0.5) ? [5_000, 3 * HOUR] : [HOUR, 3 * HOUR],
    costNanoUsdMax: random.pick([0, CENT_NANO_USD, 5 * CENT_NANO_USD]),
  };
}

const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function secretOf(random: Random): string {
  let secret = 'sk-ant-api03-';
  for (let index = 0; index < 40; index++) secret += BASE62[random.integer(0, 61)]!;
  return secret;
}

function credentialRecord(fields: Partial<CredentialRecord>): CredentialRecord {
  return credentialRecordSchema.parse({
    kind: 'registered',
    provider: 'anthropic',
    org: 'acme',
    status: 'active',
    version: 1,
    ...fields,
  });
}
