import { partitionForKey, type UsageEventInput } from '@lanewatch/ingest/contract';
import type { Random } from '../../measuring/random.ts';
import { markerLane, unknownLane, type LaneSpec, type Registry } from './lanes.ts';

/** An event as it is posted, and what its row in the ledger must hold: {@link contentOf}. */
export interface PlannedEvent {
  key: string;
  input: UsageEventInput;
  expected: string;
}

/** Columns of a ledger row that follow from the event and the registry alone, in one comparable text. */
export interface RowContent {
  lane: string;
  user: string;
  session: string;
  time: number;
  cost_nano_usd: number;
  tokens_output: number;
  standing: string;
  match: string;
  credential_id: string;
}

export function contentOf(row: RowContent): string {
  const { lane, user, session, time, cost_nano_usd, tokens_output, standing, match, credential_id } = row;
  return JSON.stringify([
    lane,
    user,
    session,
    time,
    cost_nano_usd,
    tokens_output,
    standing,
    match,
    credential_id,
  ] satisfies unknown[]);
}

/** Identity of an event as one text. */
export function keyOf(source: string, id: string): string {
  return `${source}\n${id}`;
}

export interface EventSource {
  /** A new event, of any lane. */
  next(): PlannedEvent;
  /** One new event for each partition of the usage topic, in order of the partitions. */
  markers(): PlannedEvent[];
}

export interface EventSourceOptions {
  random: Random;
  registry: Pick<Registry, 'lanes'>;
  /** Part of every id, so that several sources of one run never make the same event. */
  name: string;
  startMs: number;
  partitions: number;
  /** Whether a share of the requests has two reporters, whose reports are to be joined. */
  hasTwins?: boolean;
}

/** What request ids begin with of which an agent and a proxy report the request. */
export const TWICE_REPORTED = 'chaos-twice-';
/** One event in this many has a second reporter. */
const TWIN_EVERY = 25;

/** One event in this many brings up a key that was never seen, so that findings come into being all through the run. */
const NEW_LANE_EVERY = 150;

/** Makes events, one after the other, all of them from the seed. */
export function createEventSource(options: EventSourceOptions): EventSource {
  const { random, registry, name, startMs, partitions, hasTwins = false } = options;
  const lanes = [...registry.lanes];
  const marker = markerLane();
  let sequence = 0;
  let twin: PlannedEvent | null = null;

  /** The event as an agent reports it; the report of the proxy comes next. */
  function reportedTwice(event: PlannedEvent): PlannedEvent {
    const requestId = `${TWICE_REPORTED}${event.key.replace('\n', '-')}`;
    const as = (reporter: 'agent' | 'proxy', id: string): PlannedEvent => ({
      ...event,
      key: keyOf(event.input.source, id),
      input: { ...event.input, id, request_id: requestId, reporter },
    });
    twin = as('proxy', `${event.input.id}-proxy`);
    return as('agent', event.input.id);
  }

  function planned(spec: LaneSpec, session: string): PlannedEvent {
    const source = `chaos/${name}`;
    const id = String(sequence++);
    const time = startMs - random.integer(...spec.ageMs);
    const user = spec.people.length === 0 ? '' : random.pick(spec.people);
    const repo = spec.repos.length === 0 ? '' : random.pick(spec.repos);
    const costNanoUsd = random.integer(0, spec.costNanoUsdMax);
    const output = random.integer(1, 5_000);
    const input: UsageEventInput = {
      source,
      id,
      time: new Date(time).toISOString(),
      credential: spec.credential,
      org: spec.org,
      ...(user === '' ? { ip: `10.1.0.${random.integer(1, 4)}` } : { user, host: 'build-7' }),
      ...(repo === '' ? {} : { repo }),
      agent: { name: random.pick(['claude-code', 'codex']) },
      session,
      model: random.pick(['claude-sonnet-4-5', 'gpt-5']),
      tokens: { input_uncached: random.integer(1, 50_000), output },
      cost_usd: (costNanoUsd / 1e9).toFixed(9),
      cost_basis: 'reported',
    };
    const row = { lane: spec.lane, user, session, time, cost_nano_usd: costNanoUsd, tokens_output: output };
    return { key: keyOf(source, id), input, expected: contentOf({ ...row, ...spec.expected(time) }) };
  }

  return {
    next() {
      if (twin !== null) {
        const event = twin;
        twin = null;
        return event;
      }
      if (random.chance(1 / NEW_LANE_EVERY)) lanes.push(unknownLane(random));
      const event = planned(random.pick(lanes), `s${random.integer(0, 9)}`);
      return hasTwins && random.chance(1 / TWIN_EVERY) ? reportedTwice(event) : event;
    },
    markers: () =>
      Array.from({ length: partitions }, (_, partition) => planned(marker, sessionIn(partition, partitions))),
  };
}

/** A session whose events, when they name no key, go to this partition. */
function sessionIn(partition: number, partitions: number): string {
  for (let attempt = 0; ; attempt++) {
    const session = `marker-${attempt}`;
    if (partitionForKey(session, partitions) === partition) return session;
  }
}
