import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { managedFiles } from './device-profile.ts';
import { fleetFiles } from './fleet.ts';

const URL = 'https://ingest.example.com/a?b=1&c=<2>';
const textOf = (name: string, ending: string, key = 'lw_dev_key') =>
  managedFiles(name, URL, key).find(({ path }) => path.includes(ending))!.text;

/** What Python's reader of property lists, which knows Apple's form, finds in one. */
function read(plist: string): { PayloadContent: Record<string, unknown>[] } & Record<string, unknown> {
  const program = 'import sys, plistlib, json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
  const { stdout, stderr } = spawnSync('python3', ['-c', program], { input: plist, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as never;
}

test('a profile for macOS has the settings of the client in the domain that it reads', () => {
  const whole = read(textOf('claude-code', '.mobileconfig'));
  const { env } = JSON.parse(fleetFiles('claude-code', 'macos', URL, 'lw_dev_key')[0]!.text) as { env: object };
  expect(whole).toMatchObject({ PayloadType: 'Configuration', PayloadScope: 'System' });
  expect(whole.PayloadContent).toMatchObject([{ PayloadType: 'com.anthropic.claudecode', env }]);
  const [codex] = read(textOf('codex', '.mobileconfig')).PayloadContent;
  const toml = Buffer.from(String(codex!['config_toml_base64']), 'base64').toString();
  expect(toml).toBe(fleetFiles('codex', 'macos', URL, 'lw_dev_key')[0]!.text);
});

test('a profile with a new collector key takes the place of the one before', () => {
  const [before, after] = ['lw_dev_old', 'lw_dev_new'].map((key) => read(textOf('claude-code', '.mobileconfig', key)));
  expect(after!['PayloadUUID']).toMatch(/^[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-8[0-9A-F]{3}-[0-9A-F]{12}$/);
  expect(after!['PayloadUUID']).toBe(before!['PayloadUUID']);
  expect(after).not.toEqual(before);
});

test('a policy for Windows holds the settings as one text', () => {
  const [, value] = /^"Settings"="(.*)"\r$/m.exec(textOf('claude-code', '.reg'))!;
  const settings = JSON.parse(value!.replace(/\\(.)/g, '$1')) as { env: Record<string, string> };
  expect(settings.env['OTEL_EXPORTER_OTLP_ENDPOINT']).toBe(URL);
});

test('the shells of macOS get their lines beside it, and who reads no profile is told apart', () => {
  expect(textOf('claude-code', 'zprofile')).toContain('apikey.fingerprint');
  expect(() => managedFiles('gemini-cli', URL, 'k')).toThrow(/claude-code, codex do/);
});
