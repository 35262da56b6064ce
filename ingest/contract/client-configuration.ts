/**
 * The configuration of each client that reports here, as its own files hold it. Pure text work without Node imports: the launcher
 * prints and writes it, the dashboard shows it, and the README holds the same lines.
 */

import type { ClientConfiguration } from './client-file.ts';
import { gatewayConfigurations } from './gateway-configuration.ts';

export type { ClientConfiguration, ClientFile, ClientFileFormat } from './client-file.ts';

/**
 * Every client in the order of the README.
 * @param ingestUrl address of ingest, without a slash at its end
 * @param collectorKey a managed key with scope write on usage-events
 * @param attributes value for OTEL_RESOURCE_ATTRIBUTES: who reports, by which key; '' for none
 */
export function clientConfigurations(ingestUrl: string, collectorKey: string, attributes = ''): ClientConfiguration[] {
  const bearer = `Bearer ${collectorKey}`;
  const environment = (lines: Record<string, string>): string =>
    Object.entries(attributes === '' ? lines : { ...lines, OTEL_RESOURCE_ATTRIBUTES: attributes })
      .map(([name, value]) => `${name}=${/[\s#"'=,]/.test(value) ? `"${value}"` : value}\n`)
      .join('');
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return [
    {
      name: 'claude-code',
      title: 'Claude Code',
      files: [
        {
          path: '~/.claude/settings.json',
          format: 'json',
          text: json({
            env: {
              CLAUDE_CODE_ENABLE_TELEMETRY: '1',
              OTEL_LOGS_EXPORTER: 'otlp',
              OTEL_METRICS_EXPORTER: 'otlp',
              OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
              OTEL_EXPORTER_OTLP_ENDPOINT: ingestUrl,
              OTEL_EXPORTER_OTLP_HEADERS: `Authorization=${bearer}`,
              ...(attributes === '' ? {} : { OTEL_RESOURCE_ATTRIBUTES: attributes }),
            },
          }),
        },
      ],
      note: 'A fleet puts the same into managed-settings.json. The shell lines of npm start name the repository, too.',
      route: '/v1/logs',
      keyVariables: ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'],
    },
    {
      name: 'codex',
      title: 'Codex CLI',
      files: [
        {
          path: '~/.codex/config.toml',
          format: 'toml',
          text: `[otel]
exporter = { otlp-http = { endpoint = "${ingestUrl}/v1/logs", protocol = "json", headers = { "Authorization" = "${bearer}" } } }
`,
        },
        ...(attributes === '' ? [] : [{ path: '~/.codex/.env', format: 'env' as const, text: environment({}) }]),
      ],
      note: '',
      route: '/v1/logs',
      keyVariables: ['CODEX_API_KEY', 'OPENAI_API_KEY'],
    },
    {
      name: 'gemini-cli',
      title: 'Gemini CLI',
      files: [
        {
          path: '~/.gemini/settings.json',
          format: 'json',
          text: json({
            telemetry: {
              enabled: true,
              target: 'local',
              otlpProtocol: 'http',
              otlpEndpoint: ingestUrl,
              logPrompts: false,
            },
          }),
        },
        {
          path: '~/.gemini/.env',
          format: 'env',
          text: environment({ OTEL_EXPORTER_OTLP_HEADERS: `Authorization=${bearer}` }),
        },
      ],
      note: 'Gemini CLI reads ~/.gemini/.env in folders that you trust and that have no .env of their own; elsewhere set the variables in the shell.',
      route: '/v1/logs',
      keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    },
    ...gatewayConfigurations(ingestUrl, bearer),
    {
      name: 'langfuse',
      title: 'Langfuse SDKs (up to 3)',
      files: [
        {
          path: '',
          format: 'env',
          text: `LANGFUSE_HOST=${ingestUrl}\nLANGFUSE_PUBLIC_KEY=lanewatch\nLANGFUSE_SECRET_KEY=${collectorKey}\n`,
        },
      ],
      note: '',
      route: '/api/public/ingestion',
      keyVariables: [],
    },
    {
      name: 'otel',
      title: 'Programs with OpenTelemetry (GenAI conventions, OpenInference, Traceloop, Vercel AI SDK, Copilot CLI)',
      files: [
        {
          path: '',
          format: 'env',
          text: environment({
            OTEL_EXPORTER_OTLP_ENDPOINT: ingestUrl,
            OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
            OTEL_EXPORTER_OTLP_HEADERS: `Authorization=${bearer}`,
          }),
        },
      ],
      note: 'For gRPC name port 4317 of the same host and the protocol grpc.',
      route: '/v1/traces',
      keyVariables: [],
    },
  ];
}
