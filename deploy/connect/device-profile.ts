import { createHash } from 'node:crypto';
import { fleetFiles, type FleetFile } from './fleet.ts';

/**
 * Preference domains that clients read of what a device management sets, which users can't change. Claude Code:
 * https://code.claude.com/docs/en/settings, Codex: https://developers.openai.com/codex/enterprise/managed-configuration.
 */
const DOMAINS: Readonly<Record<string, string>> = {
  'claude-code': 'com.anthropic.claudecode',
  codex: 'com.openai.codex',
};
/** Claude Code reads one value there on Windows: its settings as JSON. */
const WINDOWS_POLICY = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\ClaudeCode';

/**
 * What a device management distributes: a configuration profile for macOS and, where the client reads one, a policy for Windows, with the settings of
 * {@link fleetFiles}, and what the shells of macOS need beside it.
 * @throws where the client reads no such thing
 */
export function managedFiles(name: string, ingestUrl: string, collectorKey: string): FleetFile[] {
  const domain = DOMAINS[name];
  if (domain === undefined)
    throw new Error(`${name} reads nothing of a device management; ${Object.keys(DOMAINS).join(', ')} do.`);
  const [settings, ...shell] = fleetFiles(name, 'macos', ingestUrl, collectorKey);
  const values =
    settings!.format === 'json'
      ? (JSON.parse(settings!.text) as Record<string, unknown>)
      : { config_toml_base64: Buffer.from(settings!.text).toString('base64') };
  return [
    {
      path: `lanewatch-${name}.mobileconfig (macOS: Jamf, Kandji, Intune)`,
      format: 'text',
      text: profile(domain, values),
    },
    ...(name === 'claude-code'
      ? [
          {
            path: `lanewatch-${name}.reg (Windows: Group Policy, Intune)`,
            format: 'text' as const,
            text: policy(values),
          },
        ]
      : []),
    ...shell,
  ];
}

/** The same identifiers every time, so that a profile with a new collector key takes the place of the one before. */
function profile(domain: string, values: Record<string, unknown>): string {
  const identifier = `lanewatch.${domain}`;
  const content = {
    ...values,
    PayloadType: domain,
    PayloadIdentifier: `${identifier}.settings`,
    PayloadUUID: uuidOf(`${identifier}.settings`),
    PayloadVersion: 1,
  };
  const whole = {
    PayloadContent: [content],
    PayloadDisplayName: `Lanewatch: ${domain}`,
    PayloadIdentifier: identifier,
    PayloadScope: 'System',
    PayloadType: 'Configuration',
    PayloadUUID: uuidOf(identifier),
    PayloadVersion: 1,
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${plistOf(whole, '')}
</plist>
`;
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

const inXml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A value as a property list has it: dictionaries, lists, texts, whole numbers, yes and no. */
function plistOf(value: unknown, indent: string): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value))
    return `${indent}<array>\n${value.map((one) => plistOf(one, deeper)).join('\n')}\n${indent}</array>`;
  if (typeof value === 'object' && value !== null)
    return `${indent}<dict>\n${Object.entries(value)
      .map(([key, one]) => `${deeper}<key>${inXml(key)}</key>\n${plistOf(one, deeper)}`)
      .join('\n')}\n${indent}</dict>`;
  if (typeof value === 'boolean') return `${indent}<${value}/>`;
  return typeof value === 'number'
    ? `${indent}<integer>${value}</integer>`
    : `${indent}<string>${inXml(String(value))}</string>`;
}

/** A file for regedit, whose texts escape backslash and quote. */
const policy = (settings: unknown): string =>
  `Windows Registry Editor Version 5.00\r\n\r\n[${WINDOWS_POLICY}]\r\n"Settings"="${JSON.stringify(settings).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"\r\n`;
