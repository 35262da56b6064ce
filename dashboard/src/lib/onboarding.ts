/** Where the reader puts the key that a collector authenticates with. */
export const COLLECTOR_KEY_PLACEHOLDER = '<collector key>';

/**
 * The environment that makes Claude Code report its usage here. The provider key itself is never sent: its fingerprint and hint are
 * computed in the reader's shell.
 * @param ingestUrl address of ingest, without a slash at its end
 * @param collectorKey a managed key with scope write on usage-events
 */
export function claudeCodeEnvironment(ingestUrl: string, collectorKey: string): string {
  return [
    'export CLAUDE_CODE_ENABLE_TELEMETRY=1',
    'export OTEL_LOGS_EXPORTER=otlp',
    'export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${ingestUrl}`,
    `export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer ${collectorKey}"`,
    `lanewatch_fingerprint=$(printf %s "$ANTHROPIC_API_KEY" | openssl dgst -sha256 -r | cut -c1-64)`,
    `lanewatch_hint=$(printf %s "$ANTHROPIC_API_KEY" | sed -E 's/^(sk-ant-[a-z0-9]+-.{3}).*(.{4})$/\\1...\\2/')`,
    'export OTEL_RESOURCE_ATTRIBUTES="apikey.fingerprint=$lanewatch_fingerprint,apikey.hint=$lanewatch_hint"',
  ].join('\n');
}

/** One event by hand, to see the way through. Its key is an invented one, so it shows as unknown. */
export function curlLine(ingestUrl: string, collectorKey: string): string {
  const event = `{"source":"by-hand","id":"'$(date +%s)'","time":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","credential":{"hint":"sk-ant-...C001"},"user":"'$USER'","agent":{"name":"curl"},"session":"first-try","model":"claude-sonnet-4-6","cost_usd":"0.61"}`;
  return [
    `curl -sS ${ingestUrl}/v1/events \\`,
    `  -H "Authorization: Bearer ${collectorKey}" \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${event}'`,
  ].join('\n');
}
