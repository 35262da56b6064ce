import { type ClientFileFormat, clientConfigurations } from '@lanewatch/ingest/contract/client-configuration';
import { claudeCodeEnvironment } from '@lanewatch/ingest/contract/client-environment';

/** Systems whose machine-wide places are known. */
export const SYSTEMS = ['linux', 'macos', 'windows'] as const;
export type System = (typeof SYSTEMS)[number];

/** A file that is put on every machine of a fleet. */
export interface FleetFile {
  /** Where the client, or every shell, looks for it. */
  path: string;
  format: ClientFileFormat;
  text: string;
}

/**
 * Where clients read what holds for everybody on a machine. Claude Code: https://code.claude.com/docs/en/settings, Codex:
 * https://developers.openai.com/codex/config-basic, Gemini CLI: https://geminicli.com/docs/cli/enterprise. Codex tells of none on Windows.
 */
const PLACES: Readonly<Record<string, Readonly<Record<System, string>>>> = {
  'claude-code': {
    linux: '/etc/claude-code/managed-settings.json',
    macos: '/Library/Application Support/ClaudeCode/managed-settings.json',
    windows: 'C:\\Program Files\\ClaudeCode\\managed-settings.json',
  },
  codex: { linux: '/etc/codex/config.toml', macos: '/etc/codex/config.toml', windows: '' },
  'gemini-cli': {
    linux: '/etc/gemini-cli/settings.json',
    macos: '/Library/Application Support/GeminiCli/settings.json',
    windows: 'C:\\ProgramData\\gemini-cli\\settings.json',
  },
};
/** Shells read one of these at their start. macOS has no profile.d, and something in /etc/zprofile already; Windows has no such file. */
const PROFILES: Readonly<Record<System, string>> = {
  linux: '/etc/profile.d/lanewatch.sh',
  macos: '/etc/zprofile (after what is there)',
  windows: "an administrator's prompt, once",
};

/** Clients that have a machine-wide configuration. */
export const FLEET_CLIENTS = Object.keys(PLACES);

/**
 * What makes every user of a machine report. It names no person and no provider key: each user's own are computed by the shell, or named by
 * what the client tells.
 * @param name one of {@link FLEET_CLIENTS}
 * @throws where the client reads no such file on that system
 */
export function fleetFiles(name: string, system: System, ingestUrl: string, collectorKey: string): FleetFile[] {
  const client = clientConfigurations(ingestUrl, collectorKey).find((one) => one.name === name);
  const path = PLACES[name]?.[system];
  const [own] = client?.files ?? [];
  if (own === undefined || path === undefined)
    throw new Error(`${name} reads no machine-wide configuration; ${FLEET_CLIENTS.join(', ')} do.`);
  if (path === '')
    throw new Error(
      `${name} reads no machine-wide configuration on ${system}: put ${own.path} on each account instead.`,
    );
  const lines = shellLines(name, ingestUrl, collectorKey, system);
  return [
    { path, format: own.format, text: own.text },
    ...(lines === '' ? [] : [{ path: PROFILES[system], format: 'text' as const, text: lines }]),
  ];
}

/** What a client takes from the environment alone; '' when that is nothing. */
function shellLines(name: string, ingestUrl: string, collectorKey: string, system: System): string {
  // Person and fingerprint are of whoever logs in; without a key in the environment there is nothing to compute.
  if (name === 'claude-code' && system !== 'windows')
    return `if [ -n "\${ANTHROPIC_AUTH_TOKEN:-\${ANTHROPIC_API_KEY:-\${CLAUDE_CODE_OAUTH_TOKEN-}}}" ]; then
${claudeCodeEnvironment(ingestUrl, collectorKey)}
fi
`;
  if (name !== 'gemini-cli') return '';
  const header = `"Authorization=Bearer ${collectorKey}"`;
  return system === 'windows'
    ? `setx /M OTEL_EXPORTER_OTLP_HEADERS ${header}\n`
    : `export OTEL_EXPORTER_OTLP_HEADERS=${header}\n`;
}

/** How the collector key of a fleet is exchanged without a gap. */
export const ROTATION = `# To rotate the collector key: open it under /credentials, rotate it with a grace longer than the fleet takes to update (another
# time: 336 hours, say; at most 30 days), put the new secret into the file of --key-file, run this again and distribute the files. Both keys are taken until
# the grace ends; the page of the key, and /collectors, say when the old one was used last.`;
