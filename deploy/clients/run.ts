import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type ClientFileFormat, clientConfigurations } from '@lanewatch/ingest/contract/client-configuration';
import { fingerprintOf, hintOf } from '@lanewatch/ingest/contract';
import { merged } from '../connect/merge.ts';

/** What a client needs to run. */
export interface Surroundings {
  /** A home directory of its own. */
  home: string;
  ingestUrl: string;
  collectorKey: string;
  /** Where the provider of a name is reached: itself, or through the observing proxy. */
  providerUrl(name: 'anthropic' | 'openai' | 'google'): string;
  /** Whether the client reports its requests itself. */
  reportsItself: boolean;
  /** Directory in which npm installed the CLIs. */
  npmDirectory: string;
  /** The `litellm` command. */
  litellm: string;
}

export interface Client {
  name: string;
  /** As `connect` knows it. */
  configuration: string;
  /** Source of its events, and of those of the proxy in front of its provider. */
  source: string;
  proxySource: string;
  /** The key that its own reports are of. */
  providerKey: string;
  /** Runs it until it has asked its questions. */
  run(surroundings: Surroundings): Promise<void>;
}

const PERSON = 'ada@example.com';
/** Behind LiteLLM the provider sees this key, and not the virtual one that LiteLLM's clients have. */
export const LITELLM_PROVIDER_KEY = 'sk-mock-key-behind-litellm';
const QUESTION = 'What is 2+2? Use a tool.';

export const CLIENTS: readonly Client[] = [
  {
    name: 'claude-code',
    configuration: 'claude-code',
    source: 'claude-code',
    proxySource: 'proxy/anthropic',
    providerKey: `sk-ant-api03-${'aB3-_'.repeat(18)}xyzAA`,
    async run({ home, npmDirectory, providerUrl }) {
      const binary = join(npmDirectory, 'node_modules/.bin/claude');
      const args = ['-p', QUESTION, '--model', 'claude-sonnet-4-5', '--allowedTools', 'Bash'];
      await execute(binary, args, home, {
        ANTHROPIC_BASE_URL: providerUrl('anthropic'),
        ANTHROPIC_API_KEY: this.providerKey,
        ANTHROPIC_CUSTOM_HEADERS: `x-lanewatch-user: ${PERSON}`,
      });
    },
  },
  {
    name: 'codex',
    configuration: 'codex',
    source: 'codex',
    proxySource: 'proxy/openai',
    providerKey: `sk-proj-${'cD4'.repeat(16)}`,
    async run({ home, npmDirectory, providerUrl }) {
      const provider = `{ name = "mock", base_url = "${providerUrl('openai')}/v1", env_key = "OPENAI_API_KEY", wire_api = "responses", http_headers = { "x-lanewatch-user" = "${PERSON}" } }`;
      const settings = [
        '-c',
        'model_provider="mock"',
        '-c',
        `model_providers.mock=${provider}`,
        '-c',
        'model="gpt-5.1-codex"',
      ];
      const args = ['exec', '--skip-git-repo-check', ...settings, QUESTION];
      await execute(join(npmDirectory, 'node_modules/.bin/codex'), args, home, { OPENAI_API_KEY: this.providerKey });
    },
  },
  {
    name: 'gemini-cli',
    configuration: 'gemini-cli',
    source: 'gemini-cli',
    proxySource: 'proxy/google',
    providerKey: `AIza${'eF5_-'.repeat(7)}`,
    async run({ home, npmDirectory, providerUrl }) {
      const settings = join(home, '.gemini/settings.json');
      const auth = JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } } });
      writeFileSync(settings, merged(readFileSync(settings, 'utf8'), auth, 'json'));
      // Elsewhere it does not read ~/.gemini/.env, where the collector key stands.
      writeFileSync(join(home, '.gemini/trustedFolders.json'), JSON.stringify({ [home]: 'TRUST_FOLDER' }));
      await execute(join(npmDirectory, 'node_modules/.bin/gemini'), ['-p', QUESTION, '-m', 'gemini-2.5-pro'], home, {
        GOOGLE_GEMINI_BASE_URL: providerUrl('google'),
        GEMINI_CLI_CUSTOM_HEADERS: `x-lanewatch-user: ${PERSON}`,
        GEMINI_API_KEY: this.providerKey,
      });
    },
  },
  {
    name: 'litellm',
    configuration: 'litellm',
    source: 'litellm',
    proxySource: 'proxy/openai',
    providerKey: 'sk-virtual-key-of-the-proxy',
    run: runLitellm,
  },
];

/** Writes the lines that `connect` writes into a home directory; LiteLLM's go into config.yaml. */
export function configure(client: Client, { home, ingestUrl, collectorKey, reportsItself }: Surroundings): void {
  const attributes = `apikey.fingerprint=${fingerprintOf(client.providerKey)},apikey.hint=${hintOf(client.providerKey)},enduser.id=${PERSON}`;
  const { files } = clientConfigurations(ingestUrl, collectorKey, attributes).find(
    ({ name }) => name === client.configuration,
  )!;
  for (const { path, text, format } of files) {
    const file = join(home, path === '' ? 'config.yaml' : path.slice(2));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, reportsItself ? merged('', text, format) : EMPTY[format]);
  }
}

/** A file of each format with nothing set. */
const EMPTY: Readonly<Record<ClientFileFormat, string>> = {
  json: '{}',
  toml: '',
  yaml: 'litellm_settings: {}\n',
  env: '',
  text: '',
};

const TIMEOUT_MS = 120_000;

/** Runs a program to its end with nothing of the developer's environment in it. */
function execute(command: string, args: string[], home: string, env: Record<string, string>): Promise<void> {
  const child = spawn(command, args, {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: home, ...env },
    timeout: TIMEOUT_MS,
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${signal ?? code}:\n${said.slice(-2_000)}`));
    });
  });
}

/** A proxy with one model, asked once in one piece and once as a stream. */
async function runLitellm({ home, providerUrl, litellm }: Surroundings): Promise<void> {
  const file = join(home, 'config.yaml');
  const key = CLIENTS.find(({ name }) => name === 'litellm')!.providerKey;
  const models = `model_list:
  - model_name: gpt-4o-mini
    litellm_params: { model: openai/gpt-4o-mini, api_base: ${providerUrl('openai')}/v1, api_key: ${LITELLM_PROVIDER_KEY}, extra_headers: { x-lanewatch-user: ${PERSON} } }
general_settings: { custom_auth: keys.check, master_key: sk-${randomBytes(24).toString('hex')} }
`;
  // Virtual keys without a database.
  const keys = `from litellm.proxy._types import UserAPIKeyAuth

async def check(request, api_key):
    if api_key != "${key}":
        raise Exception("unknown key")
    return UserAPIKeyAuth(api_key=api_key, key_alias="ada", user_id="${PERSON}")
`;
  writeFileSync(join(home, 'keys.py'), keys);
  writeFileSync(file, merged(models, readFileSync(file, 'utf8'), 'yaml'));
  const port = await freePort();
  const child = spawn(litellm, ['--config', file, '--host', '127.0.0.1', '--port', String(port)], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_TELEMETRY: 'False',
      DEFAULT_FLUSH_INTERVAL_SECONDS: '1',
    },
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    const url = `http://127.0.0.1:${port}`;
    for (let tries = 0; !(await isAlive(`${url}/health/liveliness`)); tries++) {
      if (tries === 300 || child.exitCode !== null) throw new Error(`litellm does not start:\n${said.slice(-2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    for (const stream of [false, true]) {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'user-agent': 'OpenAI/Python 1.99.0',
        },
        body: JSON.stringify({
          model: 'gpt-4o-mini',
          stream,
          user: PERSON,
          messages: [{ role: 'user', content: QUESTION }],
          ...(stream ? { stream_options: { include_usage: true } } : {}),
        }),
      });
      await response.text();
      if (!response.ok) throw new Error(`litellm answered ${response.status}`);
    }
    // Its callback posts in batches; it goes on for a while after the answer.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
  } finally {
    const closed = new Promise((resolve) => child.once('close', resolve));
    if (child.exitCode === null && child.kill('SIGTERM')) await closed;
  }
}

const isAlive = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
