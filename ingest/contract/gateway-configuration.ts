import type { ClientConfiguration } from './client-file.ts';

/**
 * Configuration of what stands between programs and providers, or between logs and here.
 * @param ingestUrl address of ingest, without a slash at its end
 * @param bearer value of the Authorization header
 */
export function gatewayConfigurations(ingestUrl: string, bearer: string): ClientConfiguration[] {
  const url = new URL(ingestUrl);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return [
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
  ];
}
