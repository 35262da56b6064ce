import { call, createdSchema, type Registrar } from '../register.ts';
import { isLent, type GeneratedLane } from './lanes.ts';

const IN_FLIGHT = 8;
/** Keys whose rows say that they had expired end this soon after they are registered: the registry takes no end that is past. */
const EXPIRES_AFTER_MS = 60_000;

/** Registers what the lanes' rows say is registered. Returns registry ids by index of the lane. */
export async function registerLanes(
  registrar: Registrar,
  lanes: Iterable<GeneratedLane>,
  onProgress: (done: number) => void,
): Promise<Map<number, string>> {
  const ids = new Map<number, string>();
  const waiting = Iterator.from(lanes);
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const id = await register(registrar, next.value);
      if (id !== '') ids.set(next.value.index, id);
      onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  return ids;
}

/** The id that rows of the lane carry: '' where none or several records match. */
async function register(registrar: Registrar, lane: GeneratedLane): Promise<string> {
  const { kind } = lane;
  if (kind === 'unknown' || kind === 'unattributed') return '';
  const create = async (name: string, identity: object): Promise<string> =>
    createdSchema.parse(await call(registrar, 'POST', '/v1/credentials', { ...bodyOf(lane), name, ...identity }))
      .credential.id;
  const name = `${lane.agent} ${lane.index}`;
  if (kind === 'hint') return create(name, { hint: lane.hint });
  const id = await create(name, { fingerprint: lane.registeredFingerprint, hint: lane.hint });
  if (kind === 'ambiguous') {
    // Its twin: another key with the same hint and org.
    await create(`${name} twin`, { fingerprint: twinOf(lane.registeredFingerprint), hint: lane.hint });
    return '';
  }
  if (kind === 'revoked') await call(registrar, 'POST', `/v1/credentials/${id}/revoke`, { reason: 'Left the company' });
  return id;
}

const twinOf = (fingerprint: string): string => fingerprint.split('').toReversed().join('');

function bodyOf(lane: GeneratedLane): Record<string, unknown> {
  const isTeam = lane.people > 1 && !isLent(lane.people, lane.index);
  // A third is weakly governed: nobody answers for it, and it has no environment.
  const isWeak = lane.index % 3 === 2;
  return {
    kind: 'registered',
    org: lane.org,
    owner: isWeak ? '' : `owner-${lane.index % 997}@acme.example`,
    owner_kind: isWeak ? '' : 'person',
    team: ['platform', 'payments', 'search', 'mobile', 'data', 'security'][lane.index % 6],
    environment: isWeak ? '' : lane.environment,
    sharing: isTeam ? 'team' : 'personal',
    people_declared: isTeam ? lane.people : 1,
    ...(lane.kind === 'expired' ? { expires_at: new Date(Date.now() + EXPIRES_AFTER_MS).toISOString() } : {}),
  };
}
