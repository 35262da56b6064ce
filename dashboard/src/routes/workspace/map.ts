import type { LaneDetail, Likeness } from '@lanewatch/query-api/contract';
import { counted } from '#lib/format/count.ts';
import { duration } from '#lib/format/time.ts';
import {
  credentialHref,
  entityHref,
  findingHref,
  findingsHref,
  laneHref,
  ledgerHref,
  sessionHref,
} from '#lib/links.ts';

/** What colour says of a node: not resolved, known, missing, live; else nothing. Its words say the same. */
export type MapTone = 'bad' | 'good' | 'missing' | 'live' | 'plain';

/** A thing that a key is seen with, or a step to take. */
export interface MapNode {
  id: string;
  /** Text that may come from senders. */
  label: string;
  /** Set in the monospace: hints, addresses, sessions. */
  mono: boolean;
  note: string;
  tone: MapTone;
  /** null: nowhere to go. */
  href: string | null;
  /** Events behind it; null where there is nothing to count. */
  events: number | null;
}

export interface MapGroup {
  id: 'observed' | 'context' | 'comparables' | 'response';
  title: string;
  nodes: MapNode[];
}

type Node = LaneDetail['observed_with']['users'][number];
const COMPARABLES_SHOWN = 2;

/** The four groups around a key, three nodes each. Pure. */
export function mapOf(lane: LaneDetail): MapGroup[] {
  return [
    { id: 'observed', title: 'Observed with', nodes: observed(lane) },
    { id: 'context', title: 'Usage context', nodes: context(lane) },
    { id: 'comparables', title: 'Known comparables', nodes: comparables(lane) },
    { id: 'response', title: 'Response path', nodes: response(lane) },
  ];
}

const most = <One extends Node>(nodes: readonly One[]): One | undefined =>
  nodes.reduce<One | undefined>((top, node) => (top === undefined || node.events > top.events ? node : top), undefined);
const others = (what: string, count: number): string =>
  count > 1 ? `${what} · ${(count - 1).toLocaleString('en-US')} more` : what;
const named = (nodes: readonly Node[]): number => nodes.reduce((sum, { events }) => sum + events, 0);

function observed(lane: LaneDetail): MapNode[] {
  const { users, endpoints, agents } = lane.observed_with;
  const { window } = lane;
  const [user, endpoint, agent] = [most(users), most(endpoints), most(agents)];
  const isResolved = user !== undefined;
  const unresolved = Math.max(0, lane.events - named(users));
  return [
    user === undefined
      ? missing('user', 'unknown user', 'identity unresolved', entityHref('user', '', { window }), unresolved)
      : {
          ...at(
            'user',
            user,
            others(
              unresolved > 0 && lane.users <= users.length ? 'person, some events unresolved' : 'person',
              lane.users,
            ),
          ),
          href: entityHref('user', user.value, { window }),
        },
    endpoint === undefined
      ? missing(
          'endpoint',
          'unknown endpoint',
          'no address reported',
          entityHref('endpoint', '', { window }),
          lane.events,
        )
      : {
          ...at('endpoint', endpoint, others(isResolved ? 'endpoint' : 'unresolved endpoint', lane.endpoints)),
          mono: true,
          tone: isResolved ? 'plain' : 'bad',
          href: entityHref('endpoint', endpoint.value, { window }),
        },
    agent === undefined
      ? missing('agent', 'unknown agent', 'none reported', entityHref('agent', '', { window }), lane.events, 'plain')
      : { ...at('agent', agent, others('agent', lane.agents)), href: entityHref('agent', agent.value, { window }) },
  ];
}

function context(lane: LaneDetail): MapNode[] {
  const { models, sessions, repos } = lane.usage_context;
  const { window } = lane;
  const [model, repo, session] = [most(models), most(repos), sessions[0]];
  return [
    model === undefined
      ? missing('model', 'unknown model', 'none reported', null, lane.events, 'plain')
      : { ...at('model', model, others('model', lane.models)), href: entityHref('model', model.value, { window }) },
    session === undefined
      ? missing('session', 'no session', 'none reported', null, lane.events, 'plain')
      : {
          ...at(
            'session',
            session,
            others(
              `${session.live ? 'live session' : 'session'} · ${duration(session.first_seen, session.last_seen)}`,
              lane.sessions,
            ),
          ),
          mono: true,
          tone: session.live ? 'live' : 'plain',
          href: sessionHref(session.value),
        },
    repo === undefined
      ? missing('repo', 'unknown repository', 'none reported', null, lane.events, 'plain')
      : { ...at('repo', repo, others('repository', lane.repos)), href: entityHref('repo', repo.value, { window }) },
  ];
}

function comparables(lane: LaneDetail): MapNode[] {
  const near = lane.known_comparables.slice(0, COMPARABLES_SHOWN).map((other): MapNode => ({
    id: `comparable ${other.lane}`,
    label: other.hint || other.name,
    mono: other.hint !== '',
    note: likenessWords(other) || other.name || 'known key',
    tone: 'good',
    href: laneHref(other.lane, { window: lane.window }),
    events: null,
  }));
  return [...near, allowlist(lane)];
}

const WORDS: Record<Likeness['what'], string> = {
  ...{
    user: 'person',
    repo: 'repository',
    endpoint: 'endpoint',
    agent: 'agent',
    org: 'organization',
    provider: 'provider',
  },
};

/** What two keys share most, and where they part: `same repository, other endpoint`; '' where nothing is to be said. Pure. */
function likenessWords({ same, differs }: Pick<LaneDetail['known_comparables'][number], 'same' | 'differs'>): string {
  const [alike, apart] = [same[0], differs[0]];
  return [alike ? `same ${WORDS[alike.what]}` : '', apart ? `other ${WORDS[apart.what]}` : '']
    .filter(Boolean)
    .join(', ');
}

function allowlist({ credential, standing, registration }: LaneDetail): MapNode {
  const node = { id: 'allowlist', mono: false, events: null };
  if (credential === null) {
    const note =
      standing === 'ambiguous'
        ? 'several entries fit'
        : registration === 'needs_fingerprint'
          ? 'needs a fingerprint'
          : 'missing entry';
    return { ...node, label: 'allowlist', note, tone: 'missing', href: null };
  }
  return {
    ...node,
    label: credential.name,
    note: standing === 'known' ? 'allowlist entry' : `allowlist entry, ${standing}`,
    tone: standing === 'known' ? 'good' : 'bad',
    href: credentialHref(credential.id),
  };
}

function response(lane: LaneDetail): MapNode[] {
  const { findings } = lane.response_path;
  const [finding] = findings.filter(({ status }) => status !== 'resolved');
  const open = findings.filter(({ status }) => status !== 'resolved').length;
  const [session] = lane.usage_context.sessions;
  const rows = { from: lane.from, to: lane.to };
  const step = { mono: false, events: null };
  return [
    finding === undefined
      ? { ...step, id: 'fired', label: '1 nothing fired', note: 'no open finding', tone: 'plain', href: null }
      : {
          ...step,
          id: 'fired',
          label: '1 rule fired',
          note: others(`${finding.rule} ${finding.title.toLowerCase()}`, open),
          tone: 'plain',
          href: open === 1 ? findingHref(finding.id) : findingsHref({ lane: lane.lane }),
        },
    {
      ...step,
      id: 'review',
      label: session === undefined ? '2 review its rows' : '2 review session',
      note: counted(session?.events ?? lane.events, 'call'),
      tone: 'plain',
      href: session === undefined ? ledgerHref({ lane: lane.lane }, rows) : sessionHref(session.value),
    },
    { ...step, id: 'decide', ...decision(lane), tone: 'live' },
  ];
}

/** The last step: the acts of the bar where it has them, else who has to act. */
function decision(lane: LaneDetail): Pick<MapNode, 'label' | 'note' | 'href'> {
  const { credential_actions: actions } = lane.response_path;
  const bar = { note: 'the bar above', href: '#acts' };
  if (actions.includes('register')) return { ...bar, label: '3 register or revoke' };
  if (actions.includes('revoke')) return { ...bar, label: '3 rotate or revoke' };
  if (lane.credential === null)
    return { label: '3 end it at its provider', note: 'no act here reaches it', href: null };
  return lane.credential.kind === 'managed'
    ? { label: '3 stop its callers', note: 'revoked: refused here', href: null }
    : { label: '3 end it at its provider', note: 'revoked here', href: null };
}

const at = (kind: string, { value, events }: Node, note: string) => ({
  id: `${kind} ${value}`,
  label: value,
  mono: false,
  note,
  tone: 'plain' as MapTone,
  events,
});

const missing = (
  kind: string,
  label: string,
  note: string,
  href: string | null,
  events: number,
  tone: MapTone = 'bad',
): MapNode => ({
  ...{ id: kind, label, mono: false, note, tone, href, events },
});

/** How wide the edge to a node is drawn, in pixels: by orders of magnitude of its events, the busiest widest. Pure. */
export function edgeWidth(events: number | null, busiest: number): number {
  if (events === null || events <= 0 || busiest <= 0) return 1;
  return 1 + (4 * Math.log1p(events)) / Math.log1p(busiest);
}
