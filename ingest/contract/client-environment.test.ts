import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claudeCodeEnvironment, curlLine } from './client-environment.ts';
import { fingerprintOf, hintOf, usageEventInputSchema } from './index.ts';

const SHELLS = ['/bin/sh', '/bin/bash', '/bin/zsh'].filter((shell) => existsSync(shell));
const ENDPOINT = 'http://127.0.0.1:4618';

const ORIGIN = 'git@example.com:team/pay ments+v2.git';
const REPO = 'example.com:team/pay-ments-v2.git';
const USER = 'adalovelace+ci@example.com';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'client-environment-'));
  execFileSync('git', ['init', '-q', folder]);
  execFileSync('git', ['-C', folder, 'remote', 'add', 'origin', ORIGIN]);
  execFileSync('git', ['-C', folder, 'config', 'user.email', 'ada lovelace+ci@example.com']);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const BLOCK = claudeCodeEnvironment(ENDPOINT, 'lw_dev_key');

/** What a script prints when a shell runs it, which stops at the first fault and at a variable that is not set. */
function run(shell: string, script: string, cwd: string, variables: Record<string, string>) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, ...variables };
  const { status, stdout, stderr } = spawnSync(shell, ['-c', `set -eu\n${script}`], { cwd, env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, stderr]);
  return { stdout, stderr };
}

/** What a script leaves in OTEL_RESOURCE_ATTRIBUTES. */
function resourceAttributes(shell: string, script: string, cwd: string, variables: Record<string, string>): string {
  return run(shell, `${script}\nprintf %s "$OTEL_RESOURCE_ATTRIBUTES"`, cwd, variables).stdout;
}

/** What the block leaves in the environment when a shell runs it. */
function attributesIn(
  shell: string,
  key: string | undefined,
  cwd: string,
  otherKeys: Record<string, string> = {},
): Record<string, string> {
  const keys = { ...otherKeys, ...(key === undefined ? {} : { ANTHROPIC_API_KEY: key }) };
  const text = resourceAttributes(shell, BLOCK, cwd, keys);
  return Object.fromEntries(text === '' ? [] : text.split(',').map((pair) => pair.split('=') as [string, string]));
}

describe.each(SHELLS)('the Claude Code block in %s', (shell) => {
  it.each([
    `sk-ant-api03-${'aB3-_'.repeat(18)}xyzAA`,
    `sk-ant-admin01-${'Q'.repeat(93)}AA`,
    `sk-ant-oat01-${'9z_'.repeat(20)}`,
    'sk-ant-0123456789abcdefC001',
    'sk-ant-api03-tooshort',
    `sk-${'k'.repeat(40)}Z9Z9`,
    'another-kind-of-key-altogether',
    'short',
    '-n',
  ])('computes fingerprint and hint of %s as the contract does', (key) => {
    expect(attributesIn(shell, key, folder)).toEqual({
      'apikey.fingerprint': fingerprintOf(key),
      'apikey.hint': hintOf(key),
      'vcs.repository.name': REPO,
      'enduser.id': USER,
    });
  });

  it('ignores blanks and line ends around the key', () => {
    const key = `sk-ant-api03-${'x'.repeat(90)}AA`;
    expect(attributesIn(shell, ` ${key}\n`, folder)['apikey.fingerprint']).toBe(fingerprintOf(key));
  });

  it('takes the key from the variable that Claude Code takes it from', () => {
    const ofProxy = { ANTHROPIC_AUTH_TOKEN: 'sk-virtual-key-of-a-proxy-0001' };
    const ofAccount = { CLAUDE_CODE_OAUTH_TOKEN: `sk-ant-oat01-${'9z_'.repeat(20)}` };
    const fingerprint = (key: string | undefined, others: Record<string, string>) =>
      attributesIn(shell, key, folder, others)['apikey.fingerprint'];
    expect(fingerprint('sk-ant-api03-tooshort', { ...ofProxy, ...ofAccount })).toBe(
      fingerprintOf(ofProxy.ANTHROPIC_AUTH_TOKEN),
    );
    expect(fingerprint('sk-ant-api03-tooshort', ofAccount)).toBe(fingerprintOf('sk-ant-api03-tooshort'));
    expect(fingerprint('', ofAccount)).toBe(fingerprintOf(ofAccount.CLAUDE_CODE_OAUTH_TOKEN));
  });

  it('takes a key that only a helper prints from a variable of its own, which Claude Code does not see', () => {
    const given = `LANEWATCH_PROVIDER_KEY="$(echo sk-ant-api03-from-a-helper)"\n${BLOCK}`;
    const script = `${given}\nprintf %s "$OTEL_RESOURCE_ATTRIBUTES,exported=$(env | grep -c PROVIDER_KEY || true)"`;
    const { stdout, stderr } = run(shell, script, folder, { ANTHROPIC_API_KEY: 'sk-ant-api03-unused' });
    expect(stdout).toContain(`apikey.fingerprint=${fingerprintOf('sk-ant-api03-from-a-helper')},`);
    expect(stdout).toMatch(/,exported=0$/);
    expect(stderr).toBe('');
  });

  it('says when there is no key, and how to name the one of a helper', () => {
    expect(run(shell, BLOCK, folder, {}).stderr).toContain('LANEWATCH_PROVIDER_KEY=$(the helper)');
  });

  it.each([
    ['git@example.com:team/tools.git', 'example.com:team/tools.git'],
    ['https://ada:t0ken@example.com/team/tools.git/', 'https://example.com/team/tools.git/'],
    ['https://ada:t0@ken@example.com/team/tools?token=t0ken', 'https://example.com/team/tools'],
    ['ssh://git@example.com:2222/team/tools', 'ssh://example.com:2222/team/tools'],
    ['ada:t0ken@example.com:team/tools', 'example.com:team/tools'],
  ])('names the repository by the remote %s, without who signs in there', (remote, name) => {
    execFileSync('git', ['-C', folder, 'remote', 'set-url', 'origin', remote]);
    try {
      expect(attributesIn(shell, undefined, folder)).toEqual({
        'vcs.repository.name': name,
        'enduser.id': USER,
      });
    } finally {
      execFileSync('git', ['-C', folder, 'remote', 'set-url', 'origin', ORIGIN]);
    }
  });

  it.each(['', '/srv/git/tools', '../tools', 'file:///srv/tools', 'C:/srv/tools'])(
    'names the folder where the remote is on no host: %s',
    (remote) => {
      execFileSync('git', ['-C', folder, 'config', 'remote.origin.url', remote]);
      try {
        expect(attributesIn(shell, undefined, folder)['vcs.repository.name']).toBe(basename(folder));
      } finally {
        execFileSync('git', ['-C', folder, 'remote', 'set-url', 'origin', ORIGIN]);
      }
    },
  );

  it.each([
    ['team=payments,service.namespace=a%2Cb', 'team=payments,service.namespace=a%2Cb'],
    [
      'team=payments, note=two words,apikey.provider=anthropic',
      'team=payments, note=two words,apikey.provider=anthropic',
    ],
    ['apikey.hint=old,team=payments, enduser.id=someone,enduser.idle=1,', 'team=payments,enduser.idle=1'],
  ])('of the attributes %s that the shell already has it keeps %s', (before, kept) => {
    expect(resourceAttributes(shell, BLOCK, folder, { OTEL_RESOURCE_ATTRIBUTES: before })).toBe(
      `${kept},vcs.repository.name=${REPO},enduser.id=${USER}`,
    );
  });

  it('leaves the same attributes when it is pasted twice, and forgets a key that is no longer set', () => {
    const variables = { OTEL_RESOURCE_ATTRIBUTES: 'team=payments', ANTHROPIC_API_KEY: 'sk-ant-api03-tooshort' };
    const once = resourceAttributes(shell, BLOCK, folder, variables);
    expect(once).toMatch(/^team=payments,apikey\.fingerprint=/);
    expect(resourceAttributes(shell, `${BLOCK}\n${BLOCK}`, folder, variables)).toBe(once);
    expect(resourceAttributes(shell, `${BLOCK}\nunset ANTHROPIC_API_KEY\n${BLOCK}`, folder, variables)).toBe(
      `team=payments,vcs.repository.name=${REPO},enduser.id=${USER}`,
    );
  });

  it('leaves the hint out when it would break the attribute syntax', () => {
    const key = 'a,b=c d%e-and-more-characters';
    expect(attributesIn(shell, key, folder)).toEqual({
      'apikey.fingerprint': fingerprintOf(key.replaceAll(' ', '')),
      'vcs.repository.name': REPO,
      'enduser.id': USER,
    });
  });

  it('names no key when none is set and no repository outside of one', () => {
    expect(attributesIn(shell, undefined, folder)).toEqual({
      'vcs.repository.name': REPO,
      'enduser.id': USER,
    });
    expect(attributesIn(shell, undefined, '/')).toEqual({ 'enduser.id': userInfo().username });
  });
});

describe('the curl line', () => {
  it('carries an event that the schema accepts once a shell has filled in id and time', () => {
    const line = curlLine(ENDPOINT, 'lw_dev_key');
    const body = execFileSync('/bin/sh', ['-c', `curl() { for last; do :; done; printf %s "$last"; }\n${line}`], {
      encoding: 'utf8',
    });
    expect(usageEventInputSchema.parse(JSON.parse(body))).toMatchObject({ source: 'by-hand', cost_usd: '0.61' });
  });
});
