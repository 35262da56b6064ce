import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UsageEvent } from '../../../contract/usage-event.ts';
import { normaliseUsageEvent } from '../normalise.ts';
import { canonicalNames } from './index.ts';

const OPTIONS = { receivedAt: Date.parse('2026-11-27T19:00:01Z'), collector: 'c1' };

function eventOf(input: unknown): UsageEvent {
  const result = normaliseUsageEvent(input, OPTIONS);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.event;
}
const eventsOf = (fixture: string) =>
  (JSON.parse(readFileSync(new URL(`fixtures/${fixture}`, import.meta.url), 'utf8')) as unknown[]).map(eventOf);
const distinct = <T>(values: T[]) => [...new Set(values)];

describe('one thing, sent as several, has one name', () => {
  test('a person', () => {
    expect(distinct(eventsOf('one-person.json').map(({ user }) => user))).toEqual(['ada@example.com']);
  });

  test('a repository; the name without a host stays apart', () => {
    const repos = eventsOf('one-repository.json').map(({ repo }) => repo);
    expect(distinct(repos)).toEqual(['github.com/acme/api', 'acme/api']);
  });

  test('an agent, with its version where the User-Agent says it', () => {
    const events = eventsOf('one-agent.json');
    expect(distinct(events.map(({ agent }) => agent))).toEqual(['claude-code']);
    expect(events.map(({ agent_version }) => agent_version)).toEqual(['2.1.330', '', '', '']);
  });

  test('a model, with one price, its maker as provider and the place that served it beside', () => {
    const events = eventsOf('one-model.json');
    expect(distinct(events.map(({ model }) => model))).toEqual(['claude-sonnet-4-6']);
    expect(distinct(events.map(({ provider }) => provider))).toEqual(['anthropic']);
    expect(events.map(({ served_by }) => served_by)).toEqual(['', '', 'bedrock', '']);
    expect(distinct(events.map(({ cost_nano_usd, cost_basis }) => [cost_nano_usd, cost_basis].join()))).toEqual([
      '4500000,estimated',
    ]);
  });

  test('an endpoint', () => {
    expect(distinct(eventsOf('one-endpoint.json').map(({ ip }) => ip))).toEqual(['2001:db8::1']);
  });

  test('and what was sent stays readable where it differs', () => {
    expect(eventsOf('one-person.json').map(({ sent_as }) => sent_as)).toEqual([
      '{"user":"Ada@Example.com"}',
      '',
      '{"user":" ada@example.com "}',
      '{"user":"ADA@EXAMPLE.COM"}',
    ]);
  });
});

const NOTHING = {
  user: '',
  ip: '',
  host: '',
  agent: '',
  agent_version: '',
  repo: '',
  provider: '',
  served_by: '',
  model: '',
};
type Sent = typeof NOTHING;
const namesOf = (sent: Partial<Sent>) => canonicalNames({ ...NOTHING, ...sent }, { redactions: 0, truncated: false });

test.each([
  ['ADA', 'ada'],
  ['CORP\\Ada', 'corp\\ada'],
  ['Ada Lovelace <Ada@Example.com>', 'ada@example.com'],
  ['mailto:ada@example.com', 'ada@example.com'],
  ['ada@example.com.', 'ada@example.com'],
  ['ada+ci@example.com', 'ada+ci@example.com'],
  ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  ['zoe\u0308', 'zo\u00eb'],
  ['ａｄａ@example.com', 'ada@example.com'],
  ['ada\u200b@example.com', 'ada@example.com'],
  ['ada\u202e@example.com', 'ada@example.com'],
  ['a²', 'a²'],
])('the person %s is %s', (user, expected) => {
  expect(namesOf({ user }).user).toBe(expected);
});

test.each([
  ['10.0.0.1:50432', '10.0.0.1'],
  ['10.0.0.1/32', '10.0.0.1'],
  ['[2001:DB8::1]:443', '2001:db8::1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::FFFF:a00:1', '10.0.0.1'],
  ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['010.0.0.1', '010.0.0.1'],
  ['localhost', 'localhost'],
])('the address %s is %s', (ip, expected) => {
  expect(namesOf({ ip }).ip).toBe(expected);
});

test.each([
  ['Build-7.Corp.Example.', 'build-7.corp.example'],
  ['build-7:8080', 'build-7'],
  ['[2001:db8::0:1]', '2001:db8::1'],
  ['build-7', 'build-7'],
])('the host %s is %s', (host, expected) => {
  expect(namesOf({ host }).host).toBe(expected);
});

test.each([
  ['git@github.com:Acme/API.git', 'github.com/acme/api'],
  ['ssh://git@github.com:22/acme/api', 'github.com/acme/api'],
  ['ssh://git@ssh.github.com:443/acme/api.git/', 'github.com/acme/api'],
  ['git+https://www.github.com/acme/api.git#main', 'github.com/acme/api'],
  ['https://github.com/acme/api/pull/7?w=1', 'github.com/acme/api'],
  ['github:acme/api', 'github.com/acme/api'],
  ['GitHub.com/acme/api', 'github.com/acme/api'],
  ['https://gitlab.com/Group/Sub/Name/-/tree/main', 'gitlab.com/group/sub/name'],
  ['git@gitlab.corp.example:Group/Name.git', 'gitlab.corp.example/group/name'],
  ['https://git.example:8443/Acme/X.git', 'git.example/Acme/X'],
  ['git@git.example:Acme/X', 'git.example/Acme/X'],
  ['https://dev.azure.com/Org/Project/_git/Repo', 'dev.azure.com/org/project/repo'],
  ['git@ssh.dev.azure.com:v3/Org/Project/Repo', 'dev.azure.com/org/project/repo'],
  ['Acme/API', 'Acme/API'],
  ['acme/api.git', 'acme/api'],
  ['/srv/git/x.git', '/srv/git/x'],
  ['C:\\src\\x', 'C:\\src\\x'],
  ['file:///srv/git/x', 'file:///srv/git/x'],
  ['https://github.com/acme/../evil/api', 'https://github.com/acme/../evil/api'],
  ['https://github.com', 'https://github.com'],
])('the repository %s is %s', (repo, expected) => {
  expect(namesOf({ repo }).repo).toBe(expected);
});

test.each([
  ['claude-cli/2.1.197 (external, cli)', 'claude-code', '2.1.197'],
  ['Claude  Code', 'claude-code', ''],
  ['codex_cli_rs/0.169.0 (Debian 12; x86_64) xterm', 'codex', '0.169.0'],
  ['codex_exec', 'codex', ''],
  ['GeminiCLI/0.61.0/gemini-2.5-pro (linux; x64)', 'gemini-cli', '0.61.0'],
  ['GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)', 'gemini-cli', '0.61.0'],
  ['OpenAI/Python 1.40.0', 'openai-python', '1.40.0'],
  ['AsyncAnthropic/Python 0.75.0', 'anthropic-python', '0.75.0'],
  ['Anthropic/JS v0.32.1', 'anthropic-js', '0.32.1'],
  ['Go-http-client/2.0', 'go-http-client', '2.0'],
  [
    'Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Cursor/1.2 Chrome/138.0 Electron/37 Safari/537.36',
    'cursor',
    '1.2',
  ],
  ['Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 Safari/537.36', 'chrome', '138.0'],
  ['my own client 3', 'my-own-client-3', ''],
  ['acme/Reviewer', 'acme/Reviewer', ''],
  ['/ce/Kafka', '/ce/Kafka', ''],
])('the agent %s is %s %s', (agent, name, version) => {
  expect(namesOf({ agent })).toMatchObject({ agent: name, agent_version: version });
});

test('a version that is sent goes before the one in the name', () => {
  expect(namesOf({ agent: 'claude-cli/2', agent_version: 'v3.1' })).toMatchObject({
    agent: 'claude-code',
    agent_version: '3.1',
    sent_as: '{"agent":"claude-cli/2","agent_version":"v3.1"}',
  });
});

test.each([
  ['', 'claude-sonnet-4.6', 'anthropic', '', 'claude-sonnet-4-6'],
  ['Anthropic', 'Claude-Sonnet-4-6', 'anthropic', '', 'claude-sonnet-4-6'],
  ['anthropic', 'claude-3-5-sonnet-latest', 'anthropic', '', 'claude-3-5-sonnet'],
  ['anthropic', 'claude-sonnet-4-5[1m]', 'anthropic', '', 'claude-sonnet-4-5'],
  ['bedrock', 'bedrock/converse/eu.anthropic.claude-opus-4-1-20250805-v1:0', 'anthropic', 'bedrock', 'claude-opus-4-1'],
  [
    '',
    'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6',
    'anthropic',
    'bedrock',
    'claude-sonnet-4-6',
  ],
  ['aws.bedrock', 'us.amazon.nova-pro-v1:0', 'amazon', 'bedrock', 'amazon.nova-pro-v1:0'],
  ['vertex_ai', 'claude-sonnet-4-5@20250929', 'anthropic', 'vertex', 'claude-sonnet-4-5'],
  ['google', 'claude-sonnet-4-5', 'anthropic', 'vertex', 'claude-sonnet-4-5'],
  ['gemini', 'models/gemini-2.5-pro', 'google', '', 'gemini-2.5-pro'],
  ['', 'projects/p/locations/us/publishers/google/models/gemini-2.5-pro', 'google', '', 'gemini-2.5-pro'],
  ['azure', 'azure/gpt-35-turbo', 'openai', 'azure', 'gpt-3.5-turbo'],
  ['azure', 'our-chat', 'azure', '', 'our-chat'],
  ['openrouter', 'openrouter/anthropic/claude-sonnet-4.6:thinking', 'anthropic', 'openrouter', 'claude-sonnet-4-6'],
  ['', 'openrouter/openai/gpt-5:free', 'openai', 'openrouter', 'gpt-5:free'],
  ['openai', 'gpt-5-mini-2025-08-07', 'openai', '', 'gpt-5-mini'],
  ['openai', 'gpt-4o-2024-05-13', 'openai', '', 'gpt-4o-2024-05-13'],
  ['groq', 'groq/llama-3.3-70b-versatile', 'groq', '', 'llama-3.3-70b-versatile'],
  ['hosted_vllm', 'hosted_vllm/Qwen/Qwen3-32B', 'hosted-vllm', '', 'qwen/qwen3-32b'],
  ['openai', '', 'openai', '', ''],
  ['', 'm', '', '', 'm'],
])('by "%s" the model %s is %s, %s, %s', (provider, model, maker, place, name) => {
  expect(namesOf({ provider, model })).toMatchObject({ provider: maker, served_by: place, model: name });
});

test.each([
  [{ user: 'CORP\\ada' }, { user: 'LAB\\ada' }],
  [{ user: 'ada+a@example.com' }, { user: 'ada+b@example.com' }],
  [{ user: 'ada@example.com' }, { user: 'ada@example.org' }],
  [{ repo: 'git@github.com:acme/api' }, { repo: 'git@github.com:evil/api' }],
  [{ repo: 'https://github.com/acme/api' }, { repo: 'https://gitlab.com/acme/api' }],
  [{ repo: 'https://git.example/a/x' }, { repo: 'https://git.example/A/x' }],
  [{ host: 'a.example' }, { host: 'b.example' }],
  [{ model: 'claude-sonnet-4-5' }, { model: 'claude-sonnet-4-6' }],
  [{ model: 'gpt-5' }, { model: 'gpt-5-mini' }],
])('%o and %o stay two', (one, other) => {
  const { sent_as: _one, ...first } = namesOf(one);
  const { sent_as: _other, ...second } = namesOf(other);
  expect(first).not.toEqual(second);
});

describe('whatever is sent', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'aA:/@.-_ []%\\<>\u200b\u202eＡİß²e\u0308'), maxLength: 30 }),
    fc.constantFrom(
      'git@',
      'https://',
      'ssh://',
      '.git',
      '/..',
      ':443',
      'github.com',
      'us.anthropic.',
      'claude-',
      '-v1:0',
      '@20250929',
    ),
    fc.constantFrom(
      'openrouter/',
      'bedrock/',
      '-2024-05-13',
      '/2.1.0 (x)',
      'Mozilla/5.0',
      '::ffff:',
      'xn--',
      '-latest',
      'models/',
    ),
  );
  const text = fc.array(word, { maxLength: 5 }).map((words) => words.join(''));
  const sent = fc.record({
    user: text,
    ip: fc.oneof(fc.ipV4(), fc.ipV6(), text),
    host: text,
    agent: text,
    agent_version: text,
    repo: fc.oneof(fc.webUrl(), text),
    provider: fc.oneof(fc.constantFrom('', 'aws', 'google', 'vertex_ai', 'azure', 'Open AI'), text),
    served_by: fc.oneof(fc.constant(''), text),
    model: text,
  });

  test('a canonical name is its own canonical name, and then nothing was sent otherwise', () => {
    fc.assert(
      fc.property(sent, (names) => {
        const { sent_as: _, ...once } = namesOf(names);
        expect(namesOf(once)).toEqual({ ...once, sent_as: '' });
      }),
      { numRuns: 2_000 },
    );
  });

  test('two owners or names of repositories never become one', () => {
    const segment = fc.string({ unit: fc.constantFrom(...'abAB01-_'), minLength: 1, maxLength: 6 });
    const spelled = fc.constantFrom(
      (path: string) => `git@github.com:${path}.git`,
      (path: string) => `https://github.com/${path}`,
      (path: string) => `ssh://git@github.com:22/${path}/`,
    );
    fc.assert(
      fc.property(segment, segment, segment, segment, spelled, spelled, (owner, name, owner2, name2, one, other) => {
        const isSame = `${owner}/${name}`.toLowerCase() === `${owner2}/${name2}`.toLowerCase();
        const first = namesOf({ repo: one(`${owner}/${name}`) }).repo;
        expect(first === namesOf({ repo: other(`${owner2}/${name2}`) }).repo).toBe(isSame);
        expect(first).toBe(`github.com/${owner}/${name}`.toLowerCase());
      }),
    );
  });

  test('a name that becomes a secret is kept nowhere, on its first sight and later', () => {
    const key = `sk-ant-api03-${'Zq7-'.repeat(23)}xyAA`;
    const hidden = `sk-ant-\u200bapi03-${'Zq7-'.repeat(23)}xyAA`;
    for (const _ of ['once', 'again'])
      for (const column of ['user', 'host', 'agent', 'repo', 'model'] as const)
        for (const secret of [key, hidden]) {
          const tally = { redactions: 0, truncated: false };
          const names = canonicalNames({ ...NOTHING, [column]: secret }, tally);
          expect(JSON.stringify(names).toLowerCase()).not.toContain('zq7-zq7');
          expect(tally.redactions).toBe(1);
        }
  });

  test('names that differ only in where one ends and the next begins are not taken for each other', () => {
    expect(namesOf({ agent: 'a', agent_version: 'b1' })).toMatchObject({ agent: 'a', agent_version: 'b1' });
    expect(namesOf({ agent: 'ab', agent_version: '1' })).toMatchObject({ agent: 'ab', agent_version: '1' });
    expect(namesOf({ provider: 'a', model: 'bc' })).toMatchObject({ provider: 'a', model: 'bc' });
    expect(namesOf({ provider: 'ab', model: 'c' })).toMatchObject({ provider: 'ab', model: 'c' });
  });

  test('long hostile names take time in proportion to their length', () => {
    for (const text of [
      'a@'.repeat(200),
      '<'.repeat(256),
      'a/'.repeat(250),
      '-v1'.repeat(40),
      `claude-1${'-20250929'.repeat(12)}`,
      '.git'.repeat(128),
    ]) {
      const started = performance.now();
      for (let run = 0; run < 50; run++)
        namesOf({
          user: `${text}${run}`,
          repo: `${text}${run}`,
          model: `${text}${run}`,
          agent: `${text}${run}`,
          host: `${text}${run}`,
        });
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });
});
