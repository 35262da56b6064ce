/**
 * The configuration of each client that reports here, as its own files hold it. Pure text work without Node imports: the launcher
 * prints and writes it, the dashboard shows it, and the README holds the same lines.
 */

/** How a file is read and what of it is changed when these lines go into it. */
export type ClientFileFormat = 'json' | 'yaml' | 'toml' | 'env' | 'text';

export interface ClientFile {
  /** Where the client looks for it; `~` is the home directory. Without a fixed place '' and the operator names it. */
  path: string;
  format: ClientFileFormat;
  text: string;
}

export interface ClientConfiguration {
  /** As `lanewatch connect` takes it. */
  name: string;
  title: string;
  files: ClientFile[];
  /** What is left to do or to know, in one or two sentences; may be ''. */
  note: string;
  /** Where its reports arrive. */
  route: string;
  /** Variables that may hold the provider's key, the first one set counts; empty where the client has none of its own. */
  keyVariables: string[];
}

/**
 * Every client in the order of the README.
 * @param ingestUrl address of ingest, without a slash at its end
 * @param collectorKey a managed key with scope write on usage-events
 * @param attributes value for OTEL_RESOURCE_ATTRIBUTES: who reports, by which key; '' for none
 */
export function clientConfigurations(ingestUrl: string, collectorKey: string, attributes = ''): ClientConfiguration[] {
  const bearer = `Bearer ${collectorKey}`;
  const url = new URL(ingestUrl);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
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
    {
      name: 'litellm',
      title: 'LiteLLM proxy',
      files: [
        {
          path: '',
          format: 'yaml',
          text: `litellm_settings:
  callbacks: [lanewatch]
callback_settings:
  lanewatch:
    callback_type: generic_api
    endpoint: ${ingestUrl}/v1/litellm
    headers: { Authorization: ${bearer} }
    event_types: [llm_api_success, llm_api_failure]
`,
        },
      ],
      note: 'Let either the proxy report or the clients behind it: both together count each request twice.',
      route: '/v1/litellm',
      keyVariables: [],
    },
    {
      name: 'kong',
      title: 'Kong Gateway',
      files: [
        {
          path: '',
          format: 'yaml',
          text: `plugins:
  - name: http-log
    instance_name: lanewatch
    config:
      http_endpoint: ${ingestUrl}/v1/kong
      headers: { Authorization: ${bearer} }
      queue: { max_batch_size: 100, max_coalescing_delay: 1 }
`,
        },
      ],
      note: 'A declarative configuration. AI plugins need logging.log_statistics: true, so that tokens are told.',
      route: '/v1/kong',
      keyVariables: [],
    },
    {
      name: 'envoy',
      title: 'Envoy AI Gateway',
      files: [
        {
          path: '',
          format: 'text',
          text: `# EnvoyProxy resource, spec.telemetry; Fluent Bit or Vector ships the lines to ${ingestUrl}/v1/records
accessLog:
  settings:
    - sinks: [{ type: File, file: { path: /dev/stdout } }]
      format:
        type: JSON
        json:
          start_time: "%START_TIME%"
          method: "%REQ(:METHOD)%"
          x-envoy-origin-path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
          response_code: "%RESPONSE_CODE%"
          duration: "%DURATION%"
          x-forwarded-for: "%REQ(X-FORWARDED-FOR)%"
          user-agent: "%REQ(USER-AGENT)%"
          x-request-id: "%REQ(X-REQUEST-ID)%"
          :authority: "%REQ(:AUTHORITY)%"
          session-id: "%REQ(SESSION-ID)%"
          genai_model_name: "%DYNAMIC_METADATA(io.envoy.ai_gateway:model_name_override)%"
          genai_backend_name: "%DYNAMIC_METADATA(io.envoy.ai_gateway:backend_name)%"
          genai_tokens_input: "%DYNAMIC_METADATA(io.envoy.ai_gateway:llm_input_token)%"
          genai_tokens_output: "%DYNAMIC_METADATA(io.envoy.ai_gateway:llm_output_token)%"
`,
        },
      ],
      note: 'Envoy writes its log to a file or to standard output and posts it nowhere by itself.',
      route: '/v1/envoy',
      keyVariables: [],
    },
    {
      name: 'nginx',
      title: 'nginx',
      files: [
        {
          path: '',
          format: 'text',
          text: `# in http { }; Fluent Bit or Vector ships the lines to ${ingestUrl}/v1/records. Never log $http_authorization.
log_format lanewatch escape=json
  '{"time_iso8601":"$time_iso8601","msec":"$msec","remote_addr":"$remote_addr","request_method":"$request_method",'
  '"request_uri":"$request_uri","status":"$status","request_time":"$request_time","host":"$host","proxy_host":"$proxy_host",'
  '"http_user_agent":"$http_user_agent","remote_user":"$remote_user","request_id":"$request_id",'
  '"upstream_http_request_id":"$upstream_http_request_id","http_x_claude_code_session_id":"$http_x_claude_code_session_id"}';
access_log /var/log/nginx/lanewatch.json lanewatch;
`,
        },
      ],
      note: '',
      route: '/v1/nginx',
      keyVariables: [],
    },
    {
      name: 'otel-collector',
      title: 'OpenTelemetry Collector',
      files: [
        {
          path: '',
          format: 'yaml',
          text: `exporters:
  otlphttp/lanewatch:
    endpoint: ${ingestUrl}
    headers: { Authorization: ${bearer} }
service:
  pipelines:
    logs:
      exporters: [otlphttp/lanewatch]
    traces:
      exporters: [otlphttp/lanewatch]
`,
        },
      ],
      note: 'The pipelines need receivers of their own, such as otlp; exporters that they have already stay.',
      route: '/v1/logs',
      keyVariables: [],
    },
    {
      name: 'fluent-bit',
      title: 'Fluent Bit',
      files: [
        {
          path: '',
          format: 'yaml',
          text: `pipeline:
  outputs:
    - name: http
      alias: lanewatch
      match: '*'
      host: ${url.hostname}
      port: ${port}
      tls: ${url.protocol === 'https:' ? 'on' : 'off'}
      uri: /v1/records
      format: json
      header: Authorization ${bearer}
`,
        },
      ],
      note: '',
      route: '/v1/records',
      keyVariables: [],
    },
    {
      name: 'vector',
      title: 'Vector',
      files: [
        {
          path: '',
          format: 'yaml',
          text: `sinks:
  lanewatch:
    type: http
    inputs: ['*']
    uri: ${ingestUrl}/v1/records
    encoding: { codec: json }
    request: { headers: { Authorization: ${bearer} } }
`,
        },
      ],
      note: 'Name in inputs the sources whose records are meant, if not all of them are.',
      route: '/v1/records',
      keyVariables: [],
    },
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
