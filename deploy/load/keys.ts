import type { AgentName, Key, MakeKey, Person } from './key.ts';
import type { Model } from './prices.ts';
import type { Random } from './random.ts';

const PERSONAL_KEYS = 22;
const CLAUDE_CODE: AgentName = { name: 'Claude Code', version: '2.1.329' };
const CODEX: AgentName = { name: 'Codex', version: '0.169.0' };
const GEMINI: AgentName = { name: 'Gemini CLI', version: '0.61.0' };
const LITELLM: AgentName = { name: 'LiteLLM', version: '1.79.3' };
const SDK: AgentName = { name: 'anthropic-sdk-python', version: '0.71.0' };

/** All keys of the organisation: the representative three first. */
export function keysOf(make: MakeKey, random: Random, people: Person[]): Key[] {
  return [
    ...representativeKeys(make, people),
    ...Array.from({ length: PERSONAL_KEYS }, (_unused, index) => personalKey(make, random, people[index]!)),
    ...proxyKeys(make, random, people),
    ...machineKeys(make),
    ...incidentKeys(make, people),
  ];
}

/** The three lanes that the landing page was designed around. Their events are written in `representative.ts`. */
function representativeKeys(make: MakeKey, people: Person[]): Key[] {
  const quiet = { sessionsPerDay: 0, repos: ['qpoint/api-gateway'] };
  return [
    make('qpoint dev', {
      ...quiet,
      hint: 'sk-ant-...A3F2',
      people: people.slice(0, 4),
      owner: 'platform@qpoint.example',
      sharing: 'team',
      peopleDeclared: 4,
      agent: CLAUDE_CODE,
      models: ['claude-sonnet-4-6'],
    }),
    make('qpoint CI', {
      ...quiet,
      hint: 'sk-ant-...7B91',
      people: [machine('ci', 0), machine('ci', 1)],
      owner: 'ci@qpoint.example',
      org: 'qpoint-ci',
      sharing: 'team',
      peopleDeclared: 2,
      agent: CLAUDE_CODE,
      models: ['claude-haiku-4-5'],
    }),
    make('unregistered', {
      ...quiet,
      hint: 'sk-ant-...C001',
      people: [],
      org: '',
      registration: { kind: 'none' },
      agent: { name: 'Claude Code', version: '1.2.0' },
      models: ['claude-sonnet-4-6'],
    }),
  ];
}

function personalKey(make: MakeKey, random: Random, person: Person): Key {
  const [agent, models] = random.pick<[AgentName, Model[]]>([
    [CLAUDE_CODE, ['claude-sonnet-4-6', 'claude-haiku-4-5']],
    [CLAUDE_CODE, ['claude-opus-4-6', 'claude-haiku-4-5']],
    [CLAUDE_CODE, ['claude-sonnet-4-6']],
    [CODEX, ['gpt-5.1-codex', 'gpt-5-mini']],
    [GEMINI, ['gemini-2.5-pro', 'gemini-2.5-flash']],
  ]);
  return make(`${person.email.split('@')[0]!} ${agent.name}`, {
    people: [person],
    agent,
    models,
    sessionsPerDay: random.int(1, 5),
  });
}

function proxyKeys(make: MakeKey, random: Random, people: Person[]): Key[] {
  const proxy = {
    agent: LITELLM,
    sharing: 'team',
    environment: 'production',
    org: 'qpoint-prod',
    aroundTheClock: true,
  } as const;
  const some = (count: number) => Array.from({ length: count }, () => random.pick(people));
  return [
    make('assistant proxy', {
      ...proxy,
      people: some(12),
      peopleDeclared: 40,
      models: ['claude-sonnet-4-6', 'claude-haiku-4-5'],
      sessionsPerDay: 260,
      requestsPerSession: 8,
    }),
    make('search summaries', {
      ...proxy,
      people: [machine('search', 0)],
      models: ['gemini-2.5-flash'],
      sessionsPerDay: 420,
      requestsPerSession: 12,
    }),
    make('support replies', {
      ...proxy,
      people: some(6),
      peopleDeclared: 20,
      models: ['gpt-5-mini'],
      sessionsPerDay: 300,
      requestsPerSession: 9,
    }),
    make('code review bot', {
      ...proxy,
      agent: CODEX,
      people: [machine('review', 0)],
      models: ['gpt-5.1-codex'],
      sessionsPerDay: 90,
      requestsPerSession: 6,
    }),
  ];
}

function machineKeys(make: MakeKey): Key[] {
  return ['nightly evals', 'docs builder', 'release notes', 'fraud labels', 'translations'].map((label, index) =>
    make(label, {
      people: [machine(label.split(' ')[0]!, index)],
      owner: `${label.replaceAll(' ', '-')}@qpoint.example`,
      org: 'qpoint-ci',
      environment: index % 2 === 0 ? 'staging' : 'production',
      agent: index % 2 === 0 ? CLAUDE_CODE : SDK,
      models: [index % 2 === 0 ? 'claude-haiku-4-5' : 'claude-sonnet-4-6'],
      sessionsPerDay: 10 + index * 4,
      requestsPerSession: 5,
      aroundTheClock: true,
    }),
  );
}

function machine(name: string, index: number): Person {
  return {
    email: `${name}@svc.qpoint.example`,
    team: 'platform',
    utcOffsetHours: 0,
    ip: `10.20.${index}.${10 + name.length}`,
    host: `${name}-runner-${index}`,
  };
}

/** Keys with something wrong about them; `incidents.ts` says what. */
function incidentKeys(make: MakeKey, people: Person[]): Key[] {
  const sonnet = { agent: CLAUDE_CODE, models: ['claude-sonnet-4-6'] } satisfies Partial<Key>;
  const cheap = { agent: CLAUDE_CODE, models: ['claude-haiku-4-5'] } satisfies Partial<Key>;
  const contractor: Person = {
    email: 'k.weber@contractor.example',
    team: '',
    utcOffsetHours: 1,
    ip: '203.0.113.77',
    host: '',
  };
  return [
    make('contractor', { ...sonnet, people: [contractor], org: '', registration: { kind: 'none' }, sessionsPerDay: 6 }),
    make('script on a server', {
      agent: SDK,
      models: ['claude-haiku-4-5'],
      people: [{ ...machine('batch', 7), host: '' }],
      org: '',
      registration: { kind: 'none' },
      sessionsPerDay: 24,
      requestsPerSession: 3,
      aroundTheClock: true,
    }),
    make('lent key', { ...sonnet, people: people.slice(40, 45), owner: people[40]!.email, sessionsPerDay: 9 }),
    make('left the company', {
      ...cheap,
      people: [people[46]!],
      registration: { kind: 'revoked' },
      sessionsPerDay: 160,
      requestsPerSession: 3,
      aroundTheClock: true,
    }),
    make('trial account', {
      ...cheap,
      people: [people[47]!],
      registration: { kind: 'expiring' },
      sessionsPerDay: 160,
      requestsPerSession: 3,
      aroundTheClock: true,
    }),
    make('twin one', { ...sonnet, hint: 'sk-ant-...9Z4K', people: [people[48]!], sessionsPerDay: 3 }),
    make('twin two', {
      ...sonnet,
      hint: 'sk-ant-...9Z4K',
      identifiedBy: 'hint',
      people: [people[49]!],
      sessionsPerDay: 4,
    }),
    make('known by hint', {
      ...sonnet,
      hint: 'sk-ant-...H1NT',
      identifiedBy: 'hint',
      registration: { kind: 'hint' },
      people: [people[50]!],
      sessionsPerDay: 3,
    }),
  ];
}
