import { spawnSync } from 'node:child_process';
import { fingerprintOf } from '@lanewatch/ingest/contract';
import { parse as parseToml } from 'smol-toml';
import { expect, test } from 'vitest';
import { FLEET_CLIENTS, fleetFiles, SYSTEMS } from './fleet.ts';

const URL = 'https://ingest.example.com';
const KEY = 'lw_dev_key';
const files = (name: string, system: (typeof SYSTEMS)[number]) => fleetFiles(name, system, URL, KEY);

test.each([
  ['claude-code', 'linux', ['/etc/claude-code/managed-settings.json', '/etc/profile.d/lanewatch.sh']],
  [
    'claude-code',
    'macos',
    ['/Library/Application Support/ClaudeCode/managed-settings.json', expect.stringMatching('^/etc/zprofile')],
  ],
  ['claude-code', 'windows', ['C:\\Program Files\\ClaudeCode\\managed-settings.json']],
  ['codex', 'linux', ['/etc/codex/config.toml']],
  ['codex', 'macos', ['/etc/codex/config.toml']],
  ['gemini-cli', 'linux', ['/etc/gemini-cli/settings.json', '/etc/profile.d/lanewatch.sh']],
  ['gemini-cli', 'windows', ['C:\\ProgramData\\gemini-cli\\settings.json', expect.stringContaining('administrator')]],
] as const)('%s on %s is configured where its vendor documents it', (name, system, paths) => {
  expect(files(name, system).map(({ path }) => path)).toEqual(paths);
});

test('every file is valid in its format, and together they name address and collector key, but no person and no key of a provider', () => {
  for (const name of FLEET_CLIENTS)
    for (const system of SYSTEMS) {
      if (name === 'codex' && system === 'windows') continue;
      const all = files(name, system);
      for (const { format, text } of all) {
        if (format === 'json') JSON.parse(text);
        if (format === 'toml') parseToml(text);
      }
      const [settings] = all;
      expect(settings!.text).toContain(URL);
      expect(settings!.text).not.toMatch(/enduser\.id|apikey\./);
      expect(all.map(({ text }) => text).join('')).toContain(`Bearer ${KEY}`);
    }
});

test('a login shell with a key computes the fingerprint of its user, and one without says and sets nothing', () => {
  const profile = files('claude-code', 'linux')[1]!.text;
  const run = (env: Record<string, string>) =>
    spawnSync('sh', ['-euc', `${profile}\nprintf %s "\${OTEL_RESOURCE_ATTRIBUTES-}"`], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...env },
    });
  const key = `sk-ant-api03-${'aB3-_'.repeat(18)}xyzAA`;
  const { stdout, status } = run({ ANTHROPIC_API_KEY: key });
  expect([status, stdout]).toEqual([0, expect.stringContaining(`apikey.fingerprint=${fingerprintOf(key)}`)]);
  expect(stdout).not.toContain(key);
  expect(run({})).toMatchObject({ status: 0, stdout: '', stderr: '' });
});

test.each([
  ['codex', 'windows', /on windows: put ~\/\.codex\/config\.toml/],
  ['kong', 'linux', /claude-code, codex, gemini-cli do/],
] as const)('%s on %s is told apart from what has a machine-wide configuration', (name, system, reason) => {
  expect(() => files(name, system)).toThrow(reason);
});
