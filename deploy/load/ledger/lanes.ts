import { findingIdOf } from '@lanewatch/detector/contract';
import { fingerprintOf, hintOf, laneOf, UNATTRIBUTED_LANE } from '@lanewatch/ingest/contract';
import { PRICED_MODELS, type Model } from '../prices.ts';
import { randomOf, type Random } from '../random.ts';

/** How a lane of the generated ledger stands, and so what its rows and the registry say of it. */
export type LaneKind = 'known' | 'unknown' | 'hint' | 'ambiguous' | 'revoked' | 'expired' | 'unattributed';

/** A lane of the generated ledger with the habits that its rows follow. */
export interface GeneratedLane {
  index: number;
  kind: LaneKind;
  lane: string;
  /** Empty where its events name a hint alone. */
  fingerprint: string;
  /** What the registry has of it, though its events do not name it. */
  registeredFingerprint: string;
  hint: string;
  org: string;
  people: number;
  agent: string;
  models: [Model, Model];
  repos: number;
  environment: 'development' | 'staging' | 'production';
  /** The finding that rows of its doubtful standing carry, and the one for more people than a personal key has. */
  finding: string;
  sharedFinding: string;
}

/** Lanes that carry most of the traffic: proxies and pipelines, all registered. */
const HEAVY_LANES = 12;
const AGENTS = ['claude-code', 'codex', 'gemini-cli', 'litellm', 'anthropic-sdk-python', 'openai-python'] as const;
const ORGS = ['acme-dev', 'acme-ci', 'acme-prod', 'acme-research'] as const;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** All lanes of a seed, busiest first; the last is that of events without a key. */
export function* generatedLanes(seed: number, count: number): Generator<GeneratedLane> {
  for (let index = 0; index < count - 1; index++) yield laneAt(seed, index);
  yield { ...laneAt(seed, count - 1), kind: 'unattributed', lane: UNATTRIBUTED_LANE, ...NOTHING, people: 40 };
}

const NOTHING = { fingerprint: '', registeredFingerprint: '', hint: '', org: '', finding: '', sharedFinding: '' };

function laneAt(seed: number, index: number): GeneratedLane {
  const random = randomOf('ledger-lane', seed, index);
  const kind = index < HEAVY_LANES ? 'known' : kindOf(random);
  const models: [Model, Model] = [random.pick(PRICED_MODELS), random.pick(PRICED_MODELS)];
  const secret = secretOf(random, models[0]);
  const org = kind === 'unknown' ? '' : random.pick([...ORGS]);
  // Two keys share the hint, and their events name no more than that.
  const hint = kind === 'ambiguous' ? `sk-ant-...T${String(index).padStart(3, '0')}` : hintOf(secret);
  const namesHintOnly = kind === 'hint' || kind === 'ambiguous';
  const fingerprint = namesHintOnly ? '' : fingerprintOf(secret);
  const lane = laneOf(fingerprint, hint, org);
  const people = peopleOf(random, index);
  const rule = { unknown: 'R01', ambiguous: 'R02', revoked: 'R03', expired: 'R03' }[kind as string];
  return {
    index,
    kind,
    lane,
    fingerprint,
    registeredFingerprint: kind === 'hint' ? '' : fingerprintOf(secret),
    hint,
    org,
    people,
    agent: index < HEAVY_LANES ? 'litellm' : random.pick([...AGENTS]),
    models,
    repos: index < HEAVY_LANES ? 60 : random.int(1, people > 1 ? 24 : 6),
    environment: random.pick(['development', 'development', 'staging', 'production'] as const),
    finding: rule === undefined ? '' : findingIdOf(rule, lane, []),
    sharedFinding: isLent(people, index) ? findingIdOf('R05', lane, []) : '',
  };
}

function kindOf(random: Random): LaneKind {
  const share = random.int(0, 999);
  if (share < 40) return 'unknown';
  if (share < 55) return 'hint';
  if (share < 65) return 'ambiguous';
  if (share < 85) return 'revoked';
  return share < 100 ? 'expired' : 'known';
}

/** Three of four keys have one person; heavy ones are proxies in front of hundreds. */
function peopleOf(random: Random, index: number): number {
  if (index < HEAVY_LANES) return random.int(40, 400);
  const share = random.int(0, 99);
  if (share < 78) return 1;
  return share < 84 ? random.int(2, 3) : random.int(4, 30);
}

/** Whether several people use a key that the registry has as one person's. */
export function isLent(people: number, index: number): boolean {
  return people > 1 && people < 4 && index >= HEAVY_LANES;
}

function secretOf(random: Random, model: Model): string {
  if (model.startsWith('gpt')) return `sk-proj-${random.text(BASE62, 40)}`;
  if (model.startsWith('gemini')) return `AIza${random.text(BASE62, 35)}`;
  return `sk-ant-api03-${random.text(BASE62, 40)}`;
}
